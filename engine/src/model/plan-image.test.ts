import { expect, test } from 'vitest';
import { call, type LaunchPlan, slot, type Step, text, word } from './launch-plan.ts';
import { compilePlan, FAILED_AT, type PlanImage } from './plan-image.ts';
import { readReport } from './plan-report.ts';

const CLOSE = call('close_range', [3, 0xffff_ffff, 4]);
const plan = (...start: Step[]): LaunchPlan => ({ start: 'main', blocks: { main: start } });
const compile = (steps: LaunchPlan, inject: { block: string; index: number; errno: string }[] = []) =>
  compilePlan(steps, { architecture: 'x86_64', inject });
const view = (image: PlanImage) => new DataView(image.bytes.buffer);
const u32 = (image: PlanImage, at: number) => view(image).getUint32(at, true);
/** Offset of step n; of its arguments: 32 more. */
const stepAt = (image: PlanImage, n: number) => u32(image, 24) + n * 80;
const argument = (image: PlanImage, n: number, index: number) =>
  view(image).getBigInt64(stepAt(image, n) + 32 + index * 8, true);
interface Fix {
  kind: number;
  at: number;
  what: number;
  room: number;
}
function fixesOf(image: PlanImage, n: number): Fix[] {
  const first = u32(image, stepAt(image, n) + 8);
  return Array.from({ length: u32(image, stepAt(image, n) + 12) }, (_, index) => {
    const at = u32(image, 32) + (first + index) * 16;
    return { kind: u32(image, at), at: u32(image, at + 4), what: u32(image, at + 8), room: u32(image, at + 12) };
  });
}
function stringAt(image: PlanImage, at: number): string {
  return new TextDecoder().decode(image.bytes.subarray(at, image.bytes.indexOf(0, at)));
}

test('the header says what is where, in whole pages', () => {
  const image = compile(plan(call('getpid'), call('getuid')));
  expect(String.fromCharCode(...image.bytes.subarray(0, 4))).toBe('DRYP');
  expect(u32(image, 8)).toBe(image.bytes.length);
  expect(image.bytes.length % 4096).toBe(0);
  expect([u32(image, 20), u32(image, 28)]).toEqual([1, 2]);
  expect([u32(image, stepAt(image, 0) + 4), u32(image, stepAt(image, 1) + 4)]).toEqual([39, 102]);
});

test('numbers are laid in as they are, negative ones sign-extended', () => {
  const image = compile(plan(call('openat', [-100, null, 0x8_0000, 2n ** 63n])));
  expect(argument(image, 0, 0)).toBe(-100n);
  expect(argument(image, 0, 1)).toBe(0n);
  expect(argument(image, 0, 2)).toBe(0x8_0000n);
  expect(argument(image, 0, 3)).toBe(-(2n ** 63n));
});

test('a string becomes an address to be filled in, and equal strings are laid once', () => {
  const image = compile(plan(call('mount', ['proc', '/proc', 'proc', 14, null])));
  const [first, second, third] = fixesOf(image, 0);
  expect(first?.kind).toBe(1);
  expect(first?.at).toBe(stepAt(image, 0) + 32);
  expect(stringAt(image, first?.what ?? 0)).toBe('proc');
  expect(stringAt(image, second?.what ?? 0)).toBe('/proc');
  expect(third?.what).toBe(first?.what);
});

test('a vector of strings is an array of addresses that ends in NULL', () => {
  const image = compile(plan(CLOSE, call('execve', ['/bin/sh', { strings: ['sh', '-c'] }, { strings: [] }])));
  const fixes = fixesOf(image, 1);
  const argv = fixes.find(({ at }) => at === stepAt(image, 1) + 40);
  const words = fixes.filter(({ at }) => at === argv?.what || at === (argv?.what ?? 0) + 8);
  expect(words.map(({ what }) => stringAt(image, what))).toEqual(['sh', '-c']);
  expect(view(image).getBigUint64((argv?.what ?? 0) + 16, true)).toBe(0n);
});

test('a text has room for its parts and a number of any length', () => {
  const image = compile(
    plan(call('getpid', [], { save: 'pid' }), call('chdir', [text('/proc/', slot('pid'), '/cwd')])),
  );
  const fixes = fixesOf(image, 1);
  expect(fixes.map(({ kind }) => kind)).toEqual([4, 5, 6, 5, 1]);
  expect(fixes[0]?.room).toBe('/proc/'.length + 20 + '/cwd'.length + 1);
  expect(fixes[4]?.what).toBe(fixes[0]?.at);
});

test('a structure keeps its bytes and has its patches at their places', () => {
  const image = compile(
    plan(
      call('getpid', [], { save: 'pid' }),
      call('seccomp', [
        1,
        0,
        {
          struct: Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
          patches: [
            { at: 8, value: { bytes: Uint8Array.from([1, 2, 3]) } },
            { at: 4, value: slot('pid'), size: 4 },
            { at: 2, value: 7, size: 4 },
          ],
        },
      ]),
    ),
  );
  const fixes = fixesOf(image, 1);
  const base = fixes.find(({ at }) => at === stepAt(image, 1) + 48)?.what ?? 0;
  expect(image.bytes[base]).toBe(9);
  expect(image.bytes[base + 2]).toBe(7);
  expect(fixes.find(({ at }) => at === base + 4)?.kind).toBe(2);
  const bytesAt = fixes.find(({ at }) => at === base + 8)?.what ?? 0;
  expect([...image.bytes.subarray(bytesAt, bytesAt + 3)]).toEqual([1, 2, 3]);
});

test('clone_args carry the flags, the exit signal, the pidfd’s slot and the cgroup', () => {
  const image = compile({
    start: 'main',
    blocks: {
      main: [
        call('openat', [-100, '/sys/fs/cgroup', 0o200000], { save: 'group' }),
        { kind: 'clone', flags: 0x2000_0000n, child: 'init', save: 'pid', savePidfd: 'fd', cgroup: slot('group') },
        { kind: 'clone', flags: 0x8000n, child: 'sibling', save: 'other' },
      ],
      init: [],
      sibling: [],
    },
  });
  const args = (n: number) => fixesOf(image, n).find(({ at }) => at === stepAt(image, n) + 32)?.what ?? 0;
  const first = args(1);
  expect(view(image).getBigUint64(first, true)).toBe(0x2000_0000n | 0x1000n | 0x10_0000n | 0x2_0000_0000n);
  expect(view(image).getBigUint64(first + 32, true)).toBe(17n);
  expect(fixesOf(image, 1).find(({ at }) => at === first + 8)?.what).toBe(image.slots.get('fd'));
  expect(fixesOf(image, 1).find(({ at }) => at === first + 80)?.kind).toBe(3);
  // CLONE_PARENT: the kernel takes the caller's exit signal and refuses any other.
  expect(view(image).getBigUint64(args(2) + 32, true)).toBe(0n);
});

test('descriptors handed over are numbered from 10 on, each once', () => {
  const image = compile(
    plan(call('fchdir', [{ given: 'root' }]), call('dup', [{ given: 'log' }]), call('close', [{ given: 'root' }])),
  );
  expect(image.given).toEqual(['root', 'log']);
  expect([argument(image, 0, 0), argument(image, 1, 0), argument(image, 2, 0)]).toEqual([10n, 11n, 10n]);
});

test('errnos that are allowed are listed; an injected one is in its step only', () => {
  const image = compile(
    plan(call('mkdirat', [-100, '/x', 0], { mayFail: ['EEXIST', 'EROFS'] }), call('getpid', [], { mayFail: true })),
    [{ block: 'main', index: 1, errno: 'ENOMEM' }],
  );
  const list = u32(image, stepAt(image, 0) + 24);
  expect([u32(image, list), u32(image, list + 4)]).toEqual([17, 30]);
  expect(u32(image, stepAt(image, 0) + 28)).toBe(2);
  expect(u32(image, stepAt(image, 1) + 28)).toBe(0xffff_ffff);
  expect([u32(image, stepAt(image, 0) + 20), u32(image, stepAt(image, 1) + 20)]).toEqual([0, 12]);
});

test('a word of a room is read when the step runs', () => {
  const image = compile(plan(call('pipe2', [{ room: 8, name: 'pipe' }, 0]), call('close', [word('pipe', 4)])));
  expect(fixesOf(image, 1)).toEqual([
    { kind: 7, at: stepAt(image, 1) + 32, what: (image.rooms.get('pipe')?.at ?? 0) + 4, room: 0 },
  ]);
});

const exec = call('execve', ['/x', { strings: [] }, { strings: [] }]);
test.each<[string, LaunchPlan, string]>([
  ['unknown call', plan(call('mounty')), 'x86_64 has no system call "mounty"'],
  ['unsaved slot', plan(call('close', [slot('fd')])), 'no step saves the slot "fd"'],
  ['missing first block', { start: 'x', blocks: {} }, 'there is no block "x" to start with'],
  ['missing child', plan({ kind: 'clone', flags: 0n, child: 'x', save: 'p' }), 'there is no block "x"'],
  ['idle block', { start: 'a', blocks: { a: [], b: [] } }, 'no process runs the block "b"'],
  [
    'block run twice',
    plan({ kind: 'clone', flags: 0n, child: 'main', save: 'p' }),
    'the block "main" is run by the keeper already',
  ],
  [
    'shared memory',
    { start: 'a', blocks: { a: [{ kind: 'clone', flags: 0x100n, child: 'b', save: 'p' }], b: [] } },
    'share memory',
  ],
  ['gate nobody opens', plan({ kind: 'await', gate: 'g' }), 'no step opens the gate "g"'],
  ['keep in the middle', plan({ kind: 'keep', pid: 1 }, call('getpid')), 'keep is the last step of the first block'],
  ['init in the keeper', plan({ kind: 'init' }), 'init is the last step of a cloned block'],
  ['leaking exec', plan(exec), 'descriptors would leak'],
  ['unknown errno', plan(call('getpid', [], { mayFail: ['EWHAT'] })), 'there is no errno "EWHAT"'],
  ['NUL in a string', plan(call('chdir', ['a\0b'])), 'has a NUL in it'],
  ['seven arguments', plan(call('mount', [1, 2, 3, 4, 5, 6, 7])), 'at most 6 arguments'],
  ['too large', plan(call('read', [0, { room: 20 * 2 ** 20 }, 0])), 'longer than'],
  ['word without room', plan(call('close', [word('pipe', 0)])), 'no earlier step has a room "pipe"'],
])('refuses: %s', (_, wrong, sentence) => {
  expect(() => compile(wrong)).toThrow(sentence);
});

test('a report says what was not reached, and prints arguments with what is known', () => {
  const image = compile(plan(call('openat', [-100, '/a"b', 0], { save: 'fd' }), call('close', [slot('fd')])));
  const { steps, failed, ran } = readReport(image, image.bytes);
  expect(steps.map((step) => [step.call, step.args, step.state])).toEqual([
    ['openat', ['-100', '"/a\\"b"', '0'], 'not reached'],
    ['close', ['<fd>'], 'not reached'],
  ]);
  expect([failed, ran]).toEqual([null, false]);
  view(image).setUint32(FAILED_AT, 2, true);
  expect(readReport(image, image.bytes).failed?.call).toBe('close');
});
