// The sandbox's seccomp filter in the real kernel: what it refuses, and the ordinary work that goes on.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBpf } from '../model/bpf-interpreter.ts';
import { REFUSED_IOCTLS, sandboxSeccompFilter, sandboxSeccompPolicy } from '../model/sandbox-seccomp.ts';
import { AUDIT_ARCH, X32_SYSCALL_BIT, actionValue, compileSeccomp } from '../model/seccomp-compile.ts';
import { type Architecture, SYSCALL_TABLE, type SyscallName } from '../model/syscall-table.ts';
import { requires } from '../testing/requires.ts';

const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const table = SYSCALL_TABLE[architecture];
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

describe('the sandbox’s seccomp filter', () => {
  requires('root');
  const folder = mkdtempSync(join(tmpdir(), 'drydock-seccomp-'));
  const [program, filter, none] = ['filtered', 'filter', 'none'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];

  beforeAll(() => {
    execFileSync('cc', ['-O1', '-o', program, join(import.meta.dirname, '../testing/filtered.c')]);
    writeFileSync(filter, sandboxSeccompFilter(architecture));
    writeFileSync(none, '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Makes calls under a filter, in a session of its own (vhangup); returns [result, errno] of each. */
  function made(calls: readonly string[], under = filter): [number, number][] {
    const { stdout, status, signal } = spawnSync('setsid', ['-w', program, under], {
      input: calls.join('\n'),
      encoding: 'utf8',
    });
    expect([status, signal]).toEqual([0, null]);
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBe(calls.length);
    return lines.map((line) => line.split(' ').map(Number) as [number, number]);
  }
  const errnos = (calls: readonly string[], under = filter) => made(calls, under).map(([, errno]) => errno);
  const number = (name: SyscallName) => table[name] ?? -1;
  const working = (command: string) => {
    const { status, stdout, stderr } = spawnSync(program, [filter, 'bash', '-ec', command], { encoding: 'utf8' });
    expect([command, status, stderr]).toEqual([command, 0, '']);
    return stdout;
  };

  test('every call the policy refuses fails with the errno it says', () => {
    const compiled = compileSeccomp(sandboxSeccompPolicy(architecture));
    const answer = (name: SyscallName) =>
      runBpf(compiled, { number: number(name), architecture: AUDIT_ARCH[architecture], arguments: [] }).value;
    const names = (Object.keys(table) as SyscallName[]).filter((name) => answer(name) !== actionValue('allow'));
    expect(names.length).toBeGreaterThan(30);
    const refused = errnos(names.map((name) => `${number(name)} 0 0 0 0 0 0`));
    expect(names.map((name, index) => [name, refused[index]])).toEqual(
      names.map((name) => [name, answer(name) & 0xffff]),
    );
  });

  test('it is the filter that refuses: without it root may', () => {
    // SYSLOG_ACTION_SIZE_BUFFER; KCMP_FILE of one's own descriptor 0 with itself fails for pid 0 by ESRCH, not EPERM.
    const calls = [`${number('syslog')} 10`, `${number('kcmp')} 0 0 0 0 0`, `${number('settimeofday')} 0 0`];
    expect(errnos(calls)).toEqual([EPERM, EPERM, EPERM]);
    expect(errnos(calls, none)).not.toContain(EPERM);
  });

  test('sockets: rare families are refused, ordinary ones open', () => {
    const socket = (family: number, type: number, protocol: number) =>
      `${number('socket')} ${family} ${type} ${protocol}`;
    // AF_ALG, AF_VSOCK, AF_RXRPC, AF_KEY, AF_BLUETOOTH, NETLINK_XFRM, NETLINK_CRYPTO; AF_ALG with a bit above the 32 that count.
    const rare = [socket(38, 5, 0), socket(40, 1, 0), socket(33, 2, 2), socket(15, 3, 2), socket(31, 3, 0)];
    const netlink = [socket(16, 3, 6), socket(16, 3, 21), `${number('socket')} 0x100000026 5 0`];
    expect(new Set(errnos([...rare, ...netlink]))).toEqual(new Set([EAFNOSUPPORT]));
    const ordinary = [socket(1, 1, 0), socket(2, 1, 0), socket(10, 2, 0), socket(16, 3, 0), socket(17, 3, 0)];
    for (const [result] of made(ordinary)) expect(result).toBeGreaterThan(2);
  });

  test('ioctl: typing into a terminal and btrfs subvolumes are refused, ordinary requests reach the device', () => {
    const ioctl = (request: number) => `${number('ioctl')} 0 ${request} 0`;
    expect(new Set(errnos(Object.values(REFUSED_IOCTLS).map(ioctl)))).toEqual(new Set([EPERM]));
    const [inQueue] = made([`${number('ioctl')} 1 0x541b 0`]);
    expect(inQueue?.[1]).not.toBe(EPERM);
  });

  test.runIf(architecture === 'x86_64')('foreign ABIs: x32 and i386 calls are not there', () => {
    // getpid is 39 for x32, 20 for i386.
    expect(errnos([`${X32_SYSCALL_BIT | 39}`, 'i386 20 0 0 0'])).toEqual([ENOSYS, ENOSYS]);
    expect(made(['i386 20 0 0 0'], none)[0]?.[0]).toBeGreaterThan(0);
  });

  test('ordinary work goes on: shell, files, network, namespaces, tracing, another filter', () => {
    expect(working('echo $((6 * 7)); ls / > /dev/null')).toBe('42\n');
    expect(working('unshare --net sh -c "ip link set lo up; ip -br link"')).toMatch(/^lo +UNKNOWN/);
    expect(working('unshare --user --map-root-user --pid --fork --mount-proc sh -c "echo \\$\\$; id -u"')).toBe(
      '1\n0\n',
    );
    expect(working('strace -f -o /dev/null ls / | grep -c bin')).not.toBe('0\n');
    expect(working(`${program} ${filter} echo twice`)).toBe('twice\n');
    expect(working('unshare --net nft list ruleset; mount | wc -l')).toMatch(/^\d+\n$/);
  });
});
