// Two levels of user namespaces, as a learner's sandbox has them: U1 bounds, U2 is the learner's. And entering it.
import { closeSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type LaunchPlan, slot, type Step, text, type Value } from '../model/launch-plan.ts';
import { CLONE_NEW, NAMESPACE_TYPES } from '../model/namespace.ts';
import { TEST_BASE } from '../testing/container-plan.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import { bind, checked } from './libc.ts';
import type { Launched } from './kernel.ts';
import { linux } from './linux.ts';

const ALL = NAMESPACE_TYPES.reduce((flags, type) => flags | BigInt(CLONE_NEW[type]), 0n);
const CLONE_PARENT = 0x8000n;
const PR_SET_DUMPABLE = 4;
const pidfdOpen = bind('long syscall(long number, long a, long b)');

let keepers: string;
let launched: Launched;
/** A pidfd: what is entered. */
let init: number;
beforeAll(async () => {
  freshLaunch();
  keepers = keepersDirectory();
  launched = await linux.launch(nested(), { directory: join(keepers, 'nested') });
  init = checked('pidfd_open', 'init', pidfdOpen(434, launched.kept.pid, 0));
});
afterAll(async () => {
  closeSync(init);
  await launched.kept.signal(9);
  expect(await launched.kept.exit).toEqual({ code: null, signal: 9 });
  launched.kept.dispose();
  expect(readdirSync(keepers)).toEqual([]);
  rmSync(keepers, { recursive: true });
});

function write(path: Value, content: string, name: string): Step[] {
  return [
    call('openat', [-100, path, 0o2000001], { save: name }),
    call('write', [slot(name), content, content.length]),
    call('close', [slot(name)]),
  ];
}
const ids = (id: number): Step[] => [
  call('setgroups', [0, null]),
  call('setresgid', [id, id, id]),
  call('setresuid', [id, id, id]),
  call('prctl', [PR_SET_DUMPABLE, 1]), // a change of ids makes /proc/PID root's, and its maps unwritable below
];

function nested(): LaunchPlan {
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        { kind: 'clone', flags: 0n, child: 'outer', save: 'outer' },
        { kind: 'await', gate: 'unshared' },
        ...write(text('/proc/', slot('outer'), '/uid_map'), `0 ${TEST_BASE} 65536`, 'outer-uids'),
        ...write(text('/proc/', slot('outer'), '/gid_map'), `0 ${TEST_BASE} 65536`, 'outer-gids'),
        { kind: 'open', gate: 'outer-mapped' },
        { kind: 'wait', pid: slot('outer') },
        { kind: 'keep', pid: slot('init') },
      ],
      outer: [
        ...ids(TEST_BASE),
        call('unshare', [CLONE_NEW.user]),
        { kind: 'open', gate: 'unshared' },
        { kind: 'await', gate: 'outer-mapped' },
        ...ids(0),
        ...write('/proc/sys/user/max_user_namespaces', '2', 'limit'),
        { kind: 'clone', flags: ALL | CLONE_PARENT, child: 'init', save: 'init', savePidfd: 'init-fd' },
        ...write(text('/proc/', slot('init'), '/uid_map'), '0 0 65536', 'inner-uids'),
        ...write(text('/proc/', slot('init'), '/gid_map'), '0 0 65536', 'inner-gids'),
        { kind: 'open', gate: 'inner-mapped' },
      ],
      init: [
        { kind: 'await', gate: 'inner-mapped' },
        ...ids(0),
        call('mount', [null, '/', null, 0x4000 | (1 << 18), null]),
        call('mount', ['proc', '/proc', 'proc', 14, null]),
        call('sethostname', ['nested', 6]),
        { kind: 'init' },
      ],
    },
  };
}

/** A shell in the sandbox, its output in a room of the plan (so nothing is kept). */
async function inside(script: string): Promise<string> {
  const plan: LaunchPlan = {
    start: 'keeper',
    blocks: {
      keeper: [
        call('pipe2', [{ room: 8, name: 'out' }, 0o2000000]),
        { kind: 'clone', flags: 0n, child: 'enter', save: 'enter' },
        { kind: 'wait', pid: slot('enter') },
        call('close', [{ word: 'out', at: 4 }]),
        { kind: 'wait', pid: slot('program') },
        call('read', [{ word: 'out', at: 0 }, { room: 4096, name: 'text' }, 4095], { save: 'length' }),
      ],
      enter: [
        call('setns', [{ given: 'init' }, ALL]),
        { kind: 'clone', flags: CLONE_PARENT, child: 'program', save: 'program' },
      ],
      program: [
        ...ids(0).slice(0, 3),
        call('dup3', [{ word: 'out', at: 4 }, 1, 0]),
        call('dup3', [{ word: 'out', at: 4 }, 2, 0]),
        call('close_range', [3, 0xffff_ffff, 4]),
        call('execve', ['/bin/sh', { strings: ['sh', '-c', script] }, { strings: ['PATH=/usr/sbin:/usr/bin:/bin'] }]),
      ],
    },
  };
  const { rooms, slots } = await linux.run(plan, { descriptors: { init } });
  return Buffer.from(rooms.get('text') ?? []).toString('utf8', 0, slots.get('length'));
}

test('the learner’s namespaces belong to U2, which lies in U1', () => {
  const { pid } = launched.kept;
  const of = (pid: number | string) => NAMESPACE_TYPES.map((type) => readlinkSync(`/proc/${pid}/ns/${type}`));
  const own = of('self');
  expect(of(pid).filter((link) => own.includes(link))).toEqual([]);
  expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', `${TEST_BASE}`, '65536']);
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\t${TEST_BASE}\t`, 'm'));
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m);
});

test('init holds nothing of the host’s: no descriptor, no mapping of the plan', () => {
  const { pid } = launched.kept;
  expect(readdirSync(`/proc/${pid}/fd`)).toEqual([]);
  expect(readFileSync(`/proc/${pid}/maps`, 'utf8')).not.toContain('drydock-plan');
});

test('who enters is the learner’s root: all rights inside, one limit with all that is made there', async () => {
  expect(await inside('id -u; hostname; cat /proc/self/uid_map; cat /proc/1/comm')).toMatch(
    /^0\nnested\n\s+0\s+0\s+65536\ninit\n$/,
  );
  expect(await inside('readlink /proc/1/ns/pid >/dev/null && echo readable')).toBe('readable\n');
  // U1's cap of two counts U2 and one more.
  expect(await inside('unshare -U true && echo one; unshare -U unshare -U true || echo no more')).toMatch(
    /^one\n[^]*no more\n$/,
  );
});

test('an orphan inside is reaped by init', async () => {
  expect(await inside('(sleep 0.05 &); sleep 0.15; grep -l Z.*zombie /proc/[0-9]*/status; echo done')).toBe('done\n');
});

test('the host’s root can’t be reached through the process that enters, before its exec', async () => {
  // `program` stops at a gate, inside and not yet executed; a shell inside tries to look at it.
  const plan: LaunchPlan = {
    start: 'keeper',
    blocks: {
      keeper: [
        call('pipe2', [{ room: 8, name: 'out' }, 0o2000000]),
        { kind: 'clone', flags: 0n, child: 'enter', save: 'enter' },
        { kind: 'wait', pid: slot('enter') },
        { kind: 'wait', pid: slot('spy') },
        call('close', [{ word: 'out', at: 4 }]),
        call('read', [{ word: 'out', at: 0 }, { room: 4096, name: 'text' }, 4095], { save: 'length' }),
        { kind: 'open', gate: 'spied' },
        { kind: 'wait', pid: slot('program') },
      ],
      enter: [
        call('setns', [{ given: 'init' }, ALL]),
        { kind: 'clone', flags: CLONE_PARENT, child: 'program', save: 'program' },
        { kind: 'await', gate: 'waiting' },
        { kind: 'clone', flags: CLONE_PARENT, child: 'spy', save: 'spy' },
      ],
      program: [
        ...ids(0).slice(0, 3),
        call('getpid', [], { save: 'held' }),
        { kind: 'open', gate: 'waiting' },
        { kind: 'await', gate: 'spied' },
      ],
      spy: [
        ...ids(0).slice(0, 3),
        call('dup3', [{ word: 'out', at: 4 }, 1, 0]),
        call('chdir', [text('/proc/', slot('held'))]),
        call('close_range', [3, 0xffff_ffff, 4]),
        call('execve', [
          '/bin/sh',
          { strings: ['sh', '-c', 'ls fd; readlink exe; readlink cwd; cat maps; cat environ; id -u; true'] },
          { strings: ['PATH=/usr/bin:/bin'] },
        ]),
      ],
    },
  };
  const { rooms, slots } = await linux.run(plan, { descriptors: { init } });
  expect(Buffer.from(rooms.get('text') ?? []).toString('utf8', 0, slots.get('length'))).toBe('0\n');
});
