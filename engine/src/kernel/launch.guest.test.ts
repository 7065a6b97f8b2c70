// Launch plans on a v2 host, in the guest: a whole container born inside a control group, and what the group does to it.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readChunks } from '../model/output-chunks.ts';
import { type LaunchPlan, type Step, call, slot } from '../model/launch-plan.ts';
import { CLONE_NEW } from '../model/namespace.ts';
import { PIPES, busyboxRoot, containerPlan } from '../testing/container-plan.ts';
import { keepersDirectory } from '../testing/launch.ts';
import { detectCgroups } from './cgroup/detect.ts';
import { createCgroupDriver } from './cgroup/driver.ts';
import type { SandboxGroup } from './cgroup/sandbox-group.ts';
import { linux } from './linux.ts';

const O_WRONLY_CLOEXEC = 0o2000001;
const O_PATH_DIRECTORY_CLOEXEC = 0o12200000;
const driver = createCgroupDriver(detectCgroups(), 'launch');
let root: ReturnType<typeof busyboxRoot>;
let keepers: string;
let sandbox: SandboxGroup;

beforeAll(() => {
  root = busyboxRoot();
  keepers = keepersDirectory();
});
afterAll(async () => {
  await driver.removeAll();
  expect(readdirSync(keepers)).toEqual([]);
  rmSync(keepers, { recursive: true });
  root.remove();
});
beforeEach(async () => {
  sandbox = await driver.createSandbox('anna', { memoryBytes: 64 * 2 ** 20, cpus: 1, pids: 40 }, 1_000_000);
});
afterEach(() => driver.collect([]));

/** The keeper joins its own group; the container is born in `inner`, and `inside` runs in it before it executes. */
function bornInGroup(script: string, inside: readonly Step[] = [], alsoNew = 0): LaunchPlan {
  const plan = containerPlan({
    directory: root.directory,
    script,
    user: true,
    inside: [...PIPES.inside, ...inside],
    outside: PIPES.outside,
    keep: PIPES.keep,
  });
  const join = sandbox
    .joinFiles('keepers')
    .flatMap((file): Step[] => [
      call('openat', [-100, file, O_WRONLY_CLOEXEC], { save: 'join' }),
      call('write', [slot('join'), '0', 1]),
      call('close', [slot('join')]),
    ]);
  const directory = sandbox.cgroupDirectory('inner') ?? '';
  const flags = (all: bigint) => (all & ~BigInt(CLONE_NEW.cgroup)) | BigInt(alsoNew);
  const keeper = (plan.blocks['keeper'] ?? []).map((step) =>
    step.kind === 'clone' ? { ...step, flags: flags(step.flags), cgroup: slot('inner') } : step,
  );
  const open = call('openat', [-100, directory, O_PATH_DIRECTORY_CLOEXEC], { save: 'inner' });
  return { ...plan, blocks: { ...plan.blocks, keeper: [...join, ...PIPES.before, open, ...keeper] } };
}

test.each([
  ['made by unshare', [call('unshare', [CLONE_NEW.cgroup])], 0],
  ['made by the same clone3', [], CLONE_NEW.cgroup],
] as const)(
  'born in inner, a cgroup namespace %s has it as its root; the keeper is beside it',
  async (_, inside, flag) => {
    const plan = bornInGroup('cat /proc/self/cgroup; sleep 1000', inside, flag);
    const { kept } = await linux.launch(plan, { directory: join(keepers, 'one') });
    const [first] = (await kept.follow().stream.take(1).toArray()) as Buffer[];
    const { chunks } = readChunks(first ?? Buffer.alloc(0));
    expect(chunks.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['0::/\n']);
    expect(sandbox.members('inner')).toContain(kept.pid);
    expect(sandbox.members('keepers')).toEqual([kept.keeperPid]);
    await sandbox.kill();
    expect(await kept.exit).toEqual({ code: null, signal: 9 });
    kept.dispose();
  },
);

test('the group’s limits are the container’s', async () => {
  const plan = bornInGroup('x=0123456789; while :; do x=$x$x; done');
  const { kept } = await linux.launch(plan, { directory: join(keepers, 'two') });
  expect(await kept.exit).toEqual({ code: null, signal: 9 });
  expect(sandbox.stats().oomKills).toBe(1);
  kept.dispose();
});
