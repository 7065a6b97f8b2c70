// For kernel tests of observation: a shell that is init of namespaces of its own, in control groups named as a sandbox's,
// with a user namespace mapped as a sandbox's. It runs the lines it is given.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Mount points of the hierarchies to use: v2 alone, or on a v1 host pids and the v2 tree beside it. */
function hierarchies(): string[] {
  const isV2 = readFileSync('/proc/self/mountinfo', 'utf8').includes(`${ROOT} rw - cgroup2`);
  if (isV2) return [ROOT];
  return ['pids', 'unified']
    .map((name) => join(ROOT, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false }));
}

export interface TestSandbox {
  id: string;
  /** Of the shell, in this process's pid namespace. */
  initPid: number;
  /** Group directories of its `inner`, one for each hierarchy. */
  groups: string[];
  /** Has the shell run a line. */
  run(line: string): void;
  /** Kills all of it and removes its groups. */
  remove(): Promise<void>;
}

const comm = (pid: number | undefined): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
const onlyChild = (pid: number | undefined): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? 0);

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve(),
  );

async function until<T>(ask: () => T | false | 0): Promise<T> {
  for (let tries = 0; tries < 1000; tries++) {
    const answer = ask();
    if (answer) return answer;
    await new Promise((later) => setTimeout(later, 5));
  }
  throw new Error('the test sandbox did not start');
}

/** `instance` must be unique to the test run: the groups are drydock-<instance>/<id>/inner. */
export async function startTestSandbox(instance: string, id: string, baseUid = 1_000_000): Promise<TestSandbox> {
  const tops = hierarchies().map((mount) => join(mount, `drydock-${instance}`));
  const groups = tops.map((top) => join(top, id, 'inner'));
  for (const group of groups) mkdirSync(group, { recursive: true });
  const holder = spawn('unshare', ['--user', 'sleep', 'infinity']);
  await until(() => comm(holder.pid) === 'sleep');
  for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${map}`, `0 ${baseUid} 65536`);
  const enter = groups.map((group) => `echo $$ > ${group}/cgroup.procs`).join(' && ');
  const nsenter = `nsenter --user=/proc/${holder.pid}/ns/user --setuid 0 --setgid 0`;
  const script = `${enter} && exec ${nsenter} unshare --pid --mount --uts --fork --kill-child --mount-proc sh`;
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
  const initPid = await until(() => comm(child.pid) === 'unshare' && onlyChild(child.pid));
  await until(() => comm(initPid) === 'sh');
  holder.kill('SIGKILL');
  const line = (text: string) => void child.stdin.write(`${text}\n`);
  line('hostname dock');
  return {
    id,
    initPid,
    groups,
    run: line,
    async remove() {
      child.kill('SIGKILL');
      await ended(child);
      for (const top of tops) await until(() => removeGroups(join(top, id)));
      for (const top of tops)
        if (readdirSync(top, { withFileTypes: true }).every((entry) => !entry.isDirectory())) rmdirSync(top);
    },
  };
}

/** False while a group is still busy (EBUSY): the last process may be on its way out. */
function removeGroups(path: string): boolean {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory() && !removeGroups(join(path, entry.name))) return false;
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
