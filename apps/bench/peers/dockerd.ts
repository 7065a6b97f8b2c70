// A real dockerd with state of its own and no network: it touches no rule and no link of the host.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { programIn } from '../../conformance/unpacked.ts';
import type { Disk } from '../disk.ts';
import { type ApiEngine, endDaemon, removeContainers, startDaemon } from './api-engine.ts';

const NO_NETWORK = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
/** The cgroup below which its containers are: a name that no other dockerd of the machine uses. */
const CGROUP = `drydock-bench-dockerd-${process.pid}`;

/** Null where dockerd is not on the machine. */
export async function startDockerd(disk: Disk, env: NodeJS.ProcessEnv): Promise<ApiEngine | null> {
  const program = programIn(env, 'dockerd');
  if (program === null) return null;
  const run = join(disk.run, 'dockerd');
  mkdirSync(run);
  const socket = join(run, 'docker.sock');
  const { client, daemon } = await startDaemon({
    argv: [
      program,
      ...NO_NETWORK,
      `--data-root=${join(disk.path, 'dockerd')}`,
      `--exec-root=${join(run, 'exec')}`,
      `--pidfile=${join(run, 'pid')}`,
      `--cgroup-parent=/${CGROUP}`,
      `--host=unix://${socket}`,
    ],
    env,
    socket,
    log: join(disk.path, 'dockerd.log'),
  });
  return {
    name: 'dockerd',
    client,
    daemonPid: daemon.pid ?? 0,
    stop: async () => {
      await removeContainers(client);
      client.close();
      await endDaemon(daemon);
      await removeGroups(CGROUP);
    },
  };
}

const WAIT_MS = 100;
/** A process that cleans up behind its container takes a moment more. */
const TRIES = 50;

/** The groups that are left in each hierarchy, those below first, as soon as nobody is in them. */
export async function removeGroups(name: string): Promise<void> {
  const trees = ['.', ...readdirSync('/sys/fs/cgroup')].map((tree) => join('/sys/fs/cgroup', tree, name));
  for (const group of trees)
    for (let tried = 1; existsSync(group); tried += 1)
      try {
        removeGroup(group);
      } catch (error) {
        if (tried === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      }
}

function removeGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}
