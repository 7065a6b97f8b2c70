import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type LaunchPlan, slot, type Step } from '../model/launch-plan.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import { linux } from './linux.ts';

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
    target: '"/no/such/place"',
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
