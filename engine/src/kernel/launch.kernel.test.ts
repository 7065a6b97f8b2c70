import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type LaunchPlan, slot, type Step, text } from '../model/launch-plan.ts';
import { compilePlan } from '../model/plan-image.ts';
import { PlanError } from '../model/plan-report.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import { launchPath } from './launch-program.ts';
import { linux } from './linux.ts';
import { architecture } from './running-plan.ts';

let keepers: string;
beforeAll(() => {
  freshLaunch();
  keepers = keepersDirectory();
});
afterAll(() => {
  expect(readdirSync(keepers)).toEqual([]);
  rmSync(keepers, { recursive: true });
});

const close = call('close_range', [3, 0xffff_ffff, 4]);
const sh = (script: string): Step[] => [
  close,
  call('execve', ['/bin/sh', { strings: ['sh', '-c', script] }, { strings: ['PATH=/usr/bin:/bin'] }]),
];
const kept = (script: string): LaunchPlan => ({
  start: 'keeper',
  blocks: {
    keeper: [
      { kind: 'clone', flags: 0n, child: 'child', save: 'child' },
      { kind: 'keep', pid: slot('child') },
    ],
    child: sh(script),
  },
});

test.each([
  ['exit 0', { code: 0, signal: null }],
  ['exit 7', { code: 7, signal: null }],
  ['exit 255', { code: 255, signal: null }],
  ['kill -TERM $$', { code: null, signal: 15 }],
  ['kill -KILL $$', { code: null, signal: 9 }],
])('the end of `%s` is known', async (script, end) => {
  const launched = await linux.launch(kept(script), { directory: join(keepers, 'end') });
  expect(await launched.kept.exit).toEqual(end);
  expect(launched.kept.alive).toBe(false);
  launched.kept.dispose();
});

test('a step that fails names itself, in the keeper and in a child', async () => {
  const missing = call('chdir', ['/no/such/place']);
  await expect(linux.run({ start: 'a', blocks: { a: [missing] } })).rejects.toMatchObject({
    syscall: 'chdir',
    errno: 'ENOENT',
    target: '/no/such/place',
  });
  const inChild: LaunchPlan = {
    start: 'a',
    blocks: {
      a: [
        { kind: 'clone', flags: 0n, child: 'b', save: 'b' },
        { kind: 'keep', pid: slot('b') },
      ],
      b: [close, call('execve', ['/no/such/program', { strings: [] }, { strings: [] }])],
    },
  };
  await expect(linux.launch(inChild, { directory: join(keepers, 'fails') })).rejects.toMatchObject({
    syscall: 'execve',
    errno: 'ENOENT',
    step: { block: 'b', index: 1 },
  });
});

/** A plan whose second process opens a gate for the first, and whose first tells the second something by a slot. */
const talking: LaunchPlan = {
  start: 'a',
  blocks: {
    a: [
      call('getpid', [], { save: 'a' }),
      { kind: 'clone', flags: 0n, child: 'b', save: 'b' },
      call('memfd_create', ['said', 0], { save: 'said' }),
      { kind: 'open', gate: 'told' },
      { kind: 'await', gate: 'answered' },
      call('pread64', [slot('said'), { room: 16, name: 'answer' }, 16, 0], { save: 'length' }),
      { kind: 'wait', pid: slot('b') },
    ],
    b: [
      { kind: 'await', gate: 'told' },
      call('openat', [-100, text('/proc/', slot('a'), '/fd/', slot('said')), 2], { save: 'seen' }),
      call('write', [slot('seen'), text('I see ', slot('said')), 9]),
      { kind: 'open', gate: 'answered' },
    ],
  },
};
test('processes of a plan wait for each other at gates, and pass results on by slots', async () => {
  const { slots, rooms, steps } = await linux.run(talking);
  const said = slots.get('said') ?? -1;
  expect(slots.get('length')).toBe(9);
  expect(Buffer.from(rooms.get('answer') ?? []).toString('utf8', 0, 6 + `${said}`.length)).toBe(`I see ${said}`);
  expect(steps.every((step) => step.state === 'done' && step.atNs !== null && step.ns >= 0)).toBe(true);
  const position = (call: string, block: string) =>
    steps.findIndex((step) => step.call === call && step.block === block);
  expect(position('open', 'b')).toBeLessThan(position('pread64', 'a'));
});

test('a failure anywhere ends who waits at a gate, in wait, and a program that runs already', async () => {
  const endsWhole = async (plan: LaunchPlan) => {
    const error: unknown = await linux.run(plan).catch((reason: unknown) => reason);
    if (!(error instanceof PlanError)) throw error;
    expect(error.errno).toBe('ENOENT');
    for (const [name, pid] of error.report.slots)
      if (name.startsWith('pid')) expect(() => process.kill(pid, 0), name).toThrow('ESRCH');
  };
  const clone = (child: string): Step => ({ kind: 'clone', flags: 0n, child, save: `pid-${child}` });
  const failing = [call('chdir', ['/no/such/place'])];
  const waiting: Step[] = [{ kind: 'await', gate: 'never' }];
  const opener: Step[] = [...failing, { kind: 'open', gate: 'never' }];
  await endsWhole({
    start: 'a',
    blocks: {
      a: [clone('waits'), clone('sleeps'), clone('parent'), clone('fails'), { kind: 'wait', pid: slot('pid-sleeps') }],
      waits: waiting,
      sleeps: sh('sleep 1000'),
      parent: [clone('grandchild'), { kind: 'wait', pid: slot('pid-grandchild') }],
      grandchild: [clone('great'), ...waiting],
      // Blocked in a plain call, which no gate can wake.
      great: [call('nanosleep', [{ bytes: new Uint8Array(new BigInt64Array([1000n, 0n]).buffer) }, null])],
      fails: opener,
    },
  });
});

test('an error that is allowed goes on, with -1 in the slot; another does not', async () => {
  const twice = (mayFail: true | string[]): LaunchPlan => ({
    start: 'a',
    blocks: { a: [call('chdir', ['/no/such/place'], { mayFail, save: 'result' }), call('getpid')] },
  });
  for (const allowed of [true as const, ['EACCES', 'ENOENT']]) {
    const { steps, slots } = await linux.run(twice(allowed));
    expect(steps.map(({ state, errno }) => [state, errno])).toEqual([
      ['allowed', 'ENOENT'],
      ['done', null],
    ]);
    expect(slots.get('result')).toBe(-1);
  }
  await expect(linux.run(twice(['EACCES']))).rejects.toMatchObject({ errno: 'ENOENT' });
});

test('a slot that was not saved yet is no number', async () => {
  const early: LaunchPlan = {
    start: 'a',
    blocks: { a: [call('close', [slot('later')]), call('dup', [0], { save: 'later' })] },
  };
  await expect(linux.run(early)).rejects.toMatchObject({ errno: 'EBADSLT', syscall: 'close' });
});

test('a child that ends badly fails its wait; one that is killed in the middle fails the plan', async () => {
  const blocks = (b: Step[]): LaunchPlan => ({
    start: 'a',
    blocks: {
      a: [
        { kind: 'clone', flags: 0n, child: 'b', save: 'b' },
        { kind: 'wait', pid: slot('b') },
      ],
      b,
    },
  });
  await expect(linux.run(blocks(sh('exit 5')))).rejects.toMatchObject({ syscall: 'wait', errno: 'ECHILD' });
  const killed = { ...blocks([call('getpid', [], { save: 'me' }), call('kill', [slot('me'), 9]), call('getpid')]) };
  const unwaited: LaunchPlan = { ...killed, blocks: { ...killed.blocks, a: (killed.blocks['a'] ?? []).slice(0, 1) } };
  await expect(linux.run(unwaited)).rejects.toMatchObject({
    syscall: 'kill',
    errno: 'EOWNERDEAD',
    step: { block: 'b' },
  });
});

test('clone3 puts a child into a cgroup, and gives its pidfd', async () => {
  const unified = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs')));
  if (unified === undefined) throw new Error('this machine has no cgroup v2 hierarchy');
  const group = join(unified, `drydock-test-${process.pid}`);
  mkdirSync(group);
  try {
    const plan: LaunchPlan = {
      start: 'a',
      blocks: {
        a: [
          call('openat', [-100, group, 0o200000], { save: 'group' }),
          { kind: 'clone', flags: 0n, child: 'b', save: 'b', savePidfd: 'pidfd', cgroup: slot('group') },
          { kind: 'await', gate: 'read' },
          call('waitid', [3, slot('pidfd'), null, 4 | 0x0100_0000]), // P_PIDFD, WEXITED | WNOWAIT
          { kind: 'wait', pid: slot('b') },
        ],
        b: [
          call('openat', [-100, '/proc/self/cgroup', 0], { save: 'file' }),
          call('read', [slot('file'), { room: 4096, name: 'cgroup' }, 4095]),
          { kind: 'open', gate: 'read' },
        ],
      },
    };
    const { rooms } = await linux.run(plan);
    expect(Buffer.from(rooms.get('cgroup') ?? []).toString()).toContain(`0::/drydock-test-${process.pid}\n`);
  } finally {
    rmdirSync(group);
  }
});

test('single stepping: each step waits for its permit, and may be left out', async () => {
  const plan: LaunchPlan = {
    start: 'a',
    blocks: {
      a: [
        { kind: 'clone', flags: 0n, child: 'b', save: 'b' },
        { kind: 'wait', pid: slot('b') },
      ],
      b: [call('chdir', ['/no/such/place']), call('getpid', [], { save: 'me' })],
    },
  };
  const held: string[] = [];
  const report = await linux.run(plan, {
    onHeld: ({ steps }, permit) => {
      for (const step of steps.filter(({ state }) => state === 'held')) {
        held.push(`${step.block} ${step.call}`);
        permit(step, step.call === 'chdir' ? 'skip' : 'go');
      }
    },
  });
  expect([...new Set(held)].sort()).toEqual(['a clone3', 'a wait', 'b chdir', 'b getpid']);
  expect(report.steps.find(({ call: name }) => name === 'chdir')?.state).toBe('skipped');
  expect(report.slots.get('me')).toBe(report.slots.get('b'));
});

test('a plan that takes too long, or is cancelled, ends with all it made', async () => {
  const endless: LaunchPlan = {
    start: 'a',
    blocks: {
      a: [
        { kind: 'clone', flags: 0n, child: 'b', save: 'b' },
        { kind: 'wait', pid: slot('b') },
      ],
      b: [
        call('mknodat', [-100, join(keepers, 'fifo'), 0o010600, 0]),
        call('openat', [-100, join(keepers, 'fifo'), 0]),
      ],
    },
  };
  await expect(linux.run(endless, { timeoutMs: 30 })).rejects.toMatchObject({ errno: 'ETIME' });
  rmSync(join(keepers, 'fifo'));
  const cancel = new AbortController();
  const stepped = linux.launch(kept('exit 0'), {
    directory: join(keepers, 'cancelled'),
    signal: cancel.signal,
    onHeld: () => cancel.abort(),
  });
  await expect(stepped).rejects.toMatchObject({ errno: 'ECANCELED' });
  await expect(linux.run(endless, { signal: cancel.signal })).rejects.toThrow('aborted');
});

const image = () => compilePlan(kept('exit 0'), { architecture }).bytes;
const word = (at: number, value: number) => () => {
  const bytes = image();
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
};
const stepsAt = new DataView(image().buffer).getUint32(24, true);
test.each<[string, () => Uint8Array]>([
  ['nothing', () => new Uint8Array(0)],
  ['half a header', () => image().subarray(0, 40)],
  ['another magic', word(0, 1)],
  ['another version', word(4, 99)],
  ['a size beyond the file', word(8, 2 ** 31)],
  ['a size without a header', word(8, 16)],
  ...(
    [
      ['blocks', 16],
      ['steps', 24],
      ['fixes', 32],
      ['slots', 40],
      ['gates', 48],
      ['rows', 56],
    ] as const
  ).flatMap(([name, at]): [string, () => Uint8Array][] => [
    [`${name} beyond the plan`, word(at, 2 ** 30)],
    [`${name} at an odd place`, word(at, 129)],
  ]),
  ...(
    [
      ['blocks', 20],
      ['steps', 28],
      ['fixes', 36],
      ['slots', 44],
      ['gates', 52],
    ] as const
  ).map(([name, at]): [string, () => Uint8Array] => [`endless ${name}`, word(at, 0xffff_ffff)]),
  ['a first block that is none', word(60, 2)],
  ['a block beyond the steps', word(80 + 4, 100)],
  ['a slot that is none', word(stepsAt + 16, 9)],
  ['errnos beyond the plan', word(stepsAt + 28, 2 ** 28)],
])('launch refuses a plan with %s', async (_, bytes) => {
  const path = join(keepers, 'plan');
  writeFileSync(path, bytes());
  const fd = openSync(path, 'r+');
  const none = 'ignore' as const;
  const child = spawn(launchPath(), { stdio: [none, none, none, fd, none, none, none, none, none] });
  expect(await once(child, 'exit')).toEqual([126, null]);
  closeSync(fd);
  rmSync(path);
});
