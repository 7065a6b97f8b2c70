// Looks at the host: which limits it can enforce. Sets none.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type CgroupHost, hierarchyOf } from '../../model/cgroup-host.ts';
import type { LimitFacts } from '../../model/limit-facts.ts';

/**
 * `top` is the path of a group that is there in every tree: some files are in every group but the root, so that only
 * another tells.
 */
export function readLimitFacts(host: CgroupHost, top: string): LimitFacts {
  return host.flavour === 'v2' && host.unified !== null ? factsV2(host.unified, top) : factsV1(host, top);
}

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');

function factsV1(host: CgroupHost, top: string): LimitFacts {
  const has = (controller: string, file: string) => {
    const hierarchy = hierarchyOf(host, controller);
    return hierarchy !== undefined && existsSync(join(hierarchy.mountPoint, top, file));
  };
  const cpuset = hierarchyOf(host, 'cpuset')?.mountPoint;
  return {
    memory: hierarchyOf(host, 'memory') !== undefined,
    swap: has('memory', 'memory.memsw.limit_in_bytes'),
    reservation: has('memory', 'memory.soft_limit_in_bytes'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    swappiness: has('memory', 'memory.swappiness'),
    cpuShares: has('cpu', 'cpu.shares'),
    cpuCfs: has('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: has('cpu', 'cpu.rt_period_us'),
    pids: hierarchyOf(host, 'pids') !== undefined,
    cpuset: cpuset !== undefined,
    cpus: cpuset === undefined ? '' : text(join(cpuset, 'cpuset.cpus')),
    mems: cpuset === undefined ? '' : text(join(cpuset, 'cpuset.mems')),
    blockIoWeight: has('blkio', 'blkio.bfq.weight') || has('blkio', 'blkio.weight'),
    blockIoThrottle: has('blkio', 'blkio.throttle.read_bps_device'),
    devices: hierarchyOf(host, 'devices') !== undefined,
    processors: availableParallelism(),
  };
}

function factsV2(mountPoint: string, top: string): LimitFacts {
  const controllers = text(join(mountPoint, 'cgroup.controllers')).split(/\s+/);
  const has = (controller: string) => controllers.includes(controller);
  const file = (name: string) => existsSync(join(mountPoint, top, name));
  return {
    memory: has('memory'),
    swap: file('memory.swap.max'),
    reservation: has('memory'),
    oomKillDisable: false,
    swappiness: false,
    cpuShares: has('cpu'),
    cpuCfs: has('cpu'),
    cpuRealtime: false,
    pids: has('pids'),
    cpuset: has('cpuset'),
    cpus: has('cpuset') ? text(join(mountPoint, 'cpuset.cpus.effective')) : '',
    mems: has('cpuset') ? text(join(mountPoint, 'cpuset.mems.effective')) : '',
    blockIoWeight: file('io.bfq.weight') || file('io.weight'),
    blockIoThrottle: has('io'),
    devices: true,
    processors: availableParallelism(),
  };
}
