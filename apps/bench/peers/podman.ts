// podman's Docker-compatible service, with storage of its own, over runc and plain control groups.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn } from '../../conformance/unpacked.ts';
import type { Disk } from '../disk.ts';
import { type ApiEngine, endDaemon, removeContainers, startDaemon } from './api-engine.ts';
import { removeGroups } from './dockerd.ts';

// Names that podman does not let us choose: what was there before stays.
const CGROUP = 'libpod_parent';
const LOCKS = '/dev/shm/libpod_lock';

/** Null where podman, conmon or runc is not on the machine. */
export async function startPodman(disk: Disk, env: NodeJS.ProcessEnv): Promise<ApiEngine | null> {
  const [podman, conmon, runc] = ['podman', 'conmon', 'runc'].map((name) => programIn(env, name));
  if (!podman || !conmon || !runc) return null;
  const data = join(disk.path, 'podman');
  const run = join(disk.run, 'podman');
  for (const folder of [data, run, join(data, '.config/containers')]) mkdirSync(folder, { recursive: true });
  const config = join(data, 'containers.conf');
  // Its own defaults are more than a daemon without CAP_SYS_RESOURCE may give: a million files, four million processes.
  const limits = '"nofile=4096:4096", "nproc=4096:4096"';
  writeFileSync(
    config,
    `[containers]\ndefault_ulimits = [${limits}]\n[engine]\nconmon_path = ["${conmon}"]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\ntmp_dir = "${run}/tmp"\n[engine.runtimes]\nrunc = ["${runc}"]\n`,
  );
  writeFileSync(join(data, '.config/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const socket = join(run, 'podman.sock');
  const storage = [`--root=${join(data, 'root')}`, `--runroot=${join(run, 'root')}`, '--storage-driver=overlay'];
  const had = { group: existsSync(join('/sys/fs/cgroup/memory', CGROUP)), locks: existsSync(LOCKS) };
  const { client, daemon } = await startDaemon({
    argv: [podman, ...storage, 'system', 'service', '--time=0', `unix://${socket}`],
    env: { ...env, HOME: data, CONTAINERS_CONF: config, XDG_RUNTIME_DIR: run },
    socket,
    log: join(disk.path, 'podman.log'),
  });
  return {
    name: 'podman',
    client,
    daemonPid: daemon.pid ?? 0,
    stop: async () => {
      await removeContainers(client);
      client.close();
      await endDaemon(daemon);
      if (!had.group) {
        endMonitors();
        await removeGroups(CGROUP);
      }
      if (!had.locks) rmSync(LOCKS, { force: true });
    },
  };
}

/** conmon stays five minutes after an exec, for who still wants to know its exit code. */
function endMonitors(): void {
  const members = `/sys/fs/cgroup/memory/${CGROUP}/conmon/cgroup.procs`;
  if (!existsSync(members)) return;
  for (const pid of readFileSync(members, 'utf8').split('\n').filter(Boolean))
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // ESRCH: it ended with another of them.
    }
}
