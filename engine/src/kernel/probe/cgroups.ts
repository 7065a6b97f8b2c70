// Probes of control groups: which flavour, and which controllers. Makes a child group and removes it; sets no limit.
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeDefinition } from './definition.ts';

interface Hierarchy {
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** Controllers without which a sandbox can't be held within its limits. */
const CONTROLLERS = ['memory', 'cpu', 'pids'];

function hierarchies(type: 'cgroup' | 'cgroup2'): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    // proc_pid_mountinfo(5): … root mount-point options optional* - type source super-options
    const [before, after] = line.split(' - ');
    const fields = before?.split(' ') ?? [];
    const [fileSystem, , superOptions] = after?.split(' ') ?? [];
    if (fileSystem === type && fields[4] !== undefined)
      found.push({ mountPoint: fields[4], options: superOptions?.split(',') ?? [] });
  }
  return found;
}

function makeChild(directory: string): void {
  const child = join(directory, `drydock-probe-${process.pid}`);
  mkdirSync(child);
  rmdirSync(child);
}

function v1(): string | undefined {
  const mounted = hierarchies('cgroup');
  // v1 has no device list of v2's BPF kind: the devices controller is needed too.
  for (const controller of [...CONTROLLERS, 'devices']) {
    const hierarchy = mounted.find(({ options }) => options.includes(controller));
    if (hierarchy === undefined) return `no v1 hierarchy has the ${controller} controller`;
    makeChild(hierarchy.mountPoint);
  }
  return undefined;
}

function v2(): string | undefined {
  const [unified] = hierarchies('cgroup2');
  if (unified === undefined) return 'cgroup2 is not mounted';
  makeChild(unified.mountPoint);
  return undefined;
}

function v2Controllers(): string | undefined {
  const [unified] = hierarchies('cgroup2');
  if (unified === undefined) return 'cgroup2 is not mounted';
  const controllers = readFileSync(join(unified.mountPoint, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const missing = CONTROLLERS.filter((controller) => !controllers.includes(controller));
  return missing.length === 0 ? undefined : `the v2 hierarchy lacks ${missing.join(', ')}: v1 hierarchies hold them`;
}

const UNIFIED =
  'Boot with systemd.unified_cgroup_hierarchy=1, the default since Debian 11, Ubuntu 21.10 and Fedora 31; without systemd, mount cgroup2 on /sys/fs/cgroup.';

export const CGROUP_PROBES = {
  cgroup: {
    needed: true,
    use: 'holds each sandbox within its share of memory, CPU and processes (either version)',
    howToGet: UNIFIED,
    missing: () => {
      const unified = v2Controllers();
      const old = unified === undefined ? undefined : v1();
      return unified === undefined || old === undefined ? undefined : `${unified}; ${old}`;
    },
  },
  'cgroup-v1': {
    needed: false,
    use: 'limits on hosts that have not moved to v2',
    howToGet: 'Nothing to do where v2 has the controllers.',
    missing: v1,
  },
  'cgroup-v2': {
    needed: false,
    use: 'kills, freezes and counts a sandbox as one (cgroup.kill, cgroup.freeze, cgroup.events)',
    howToGet: UNIFIED,
    missing: v2,
  },
  'cgroup-v2-controllers': {
    needed: false,
    use: 'limits as the lessons name them (memory.max, cpu.max, pids.max)',
    howToGet: UNIFIED,
    missing: v2Controllers,
  },
} as const satisfies Record<string, ProbeDefinition>;
