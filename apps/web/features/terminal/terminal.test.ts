import type { ObservedProcess, Snapshot } from '@drydock/protocol/observed.ts';
import { describe, expect, it } from 'vitest';
import { ACK_EVERY_BYTES, flow } from './flow.ts';
import { insideOf } from './inside.ts';
import { isWebAddress, linesThatRun, pasteBytes } from './paste.ts';
import { terminalFor, terminalNumber } from './terminal-number.ts';

describe('flow', () => {
  it('acknowledges every 128 kB that xterm has parsed, not what merely arrived', () => {
    const state = flow();
    state.attached(0);
    state.receive(0, ACK_EVERY_BYTES);
    expect(state.parsed(ACK_EVERY_BYTES - 1)).toBeNull();
    expect(state.parsed(1)).toBe(ACK_EVERY_BYTES);
    expect(state.parsed(10)).toBeNull();
  });

  it('cuts off what was received before a reconnection', () => {
    const state = flow();
    state.receive(0, 100);
    expect(state.attached(80)).toEqual({ lost: false });
    expect(state.receive(80, 50)).toEqual({ skip: 20, lost: false });
    expect(state.received).toBe(130);
    expect(state.receive(90, 40)).toEqual({ skip: 40, lost: false });
  });

  it('says when output in between is gone, and counts on from there', () => {
    const state = flow();
    state.receive(0, 10);
    expect(state.attached(500)).toEqual({ lost: true });
    expect(state.receive(500, 5)).toEqual({ skip: 0, lost: false });
    expect(state.received).toBe(505);
    expect(state.receive(600, 1)).toEqual({ skip: 0, lost: true });
    expect(state.parsed(ACK_EVERY_BYTES)).toBe(600 + ACK_EVERY_BYTES);
  });
});

describe('paste', () => {
  it('counts the lines that would run', () => {
    expect(linesThatRun('ls')).toBe(1);
    expect(linesThatRun('ls\n')).toBe(1);
    expect(linesThatRun('ls\r\nrm x\r\n')).toBe(2);
  });

  it('lets nothing end the bracket early', () => {
    expect(pasteBytes('a\nb\u001b[201~rm -rf /\n', true)).toBe('\u001b[200~a\rb[201~rm -rf /\r\u001b[201~');
    expect(pasteBytes('a\r\nb', false)).toBe('a\rb');
  });
});

describe('terminalFor', () => {
  const terminal = (id: string, name: string, ended = false) => ({
    id,
    name,
    tty: 'pts/0',
    pid: 1,
    exit: ended ? { code: 0, signal: null } : null,
  });

  it('goes by the number in the name, whatever was closed before it', () => {
    const terminals = [terminal('b', 'Terminal 2'), terminal('c', '终端 3')];
    expect(terminals.map(terminalNumber)).toEqual([2, 3]);
    expect(terminalFor(terminals, 3)?.id).toBe('c');
    expect(terminalFor(terminals, 1)?.id).toBe('b');
  });

  it('never chooses a shell that has ended', () => {
    expect(terminalFor([terminal('a', 'Terminal 1', true), terminal('b', 'Terminal 2')], 1)?.id).toBe('b');
    expect(terminalFor([terminal('a', 'Terminal 1', true)], 1)).toBeNull();
  });
});

describe('isWebAddress', () => {
  it('knows http and https, nothing else', () => {
    expect(isWebAddress('https://example.org/a?b')).toBe(true);
    expect(isWebAddress('http://10.0.0.1:80')).toBe(true);
    for (const uri of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'nonsense'])
      expect(isWebAddress(uri)).toBe(false);
  });
});

describe('inside', () => {
  const host = { pid: 1, mnt: 2, net: 3, uts: 4, ipc: 5, user: 6, cgroup: 7, time: 8 };
  const process = (pid: number, parent: number | null, over: Partial<ObservedProcess> = {}): ObservedProcess => ({
    key: `k${pid}`,
    hostPid: pid,
    pids: [pid],
    parentKey: parent === null ? null : `k${parent}`,
    comm: 'bash',
    argv: ['bash'],
    state: 'S',
    startedAtMs: pid,
    uidInside: 0,
    uidOutside: 0,
    namespaces: host,
    pidForChildren: 1,
    timeForChildren: 8,
    cgroup: '/',
    terminal: null,
    controllingTty: 'pts/0',
    rootInode: null,
    mounts: null,
    ...over,
  });
  const shell = process(2, null, { terminal: 't1' });
  const at = (...processes: ObservedProcess[]) =>
    insideOf(
      {
        kind: 'snapshot',
        seq: 1,
        atMs: 0,
        sandbox: 's',
        namespaces: host,
        kernel: { release: '6', cgroup: 'v2' },
        hostname: 'dock',
        processes,
        exits: [],
      } satisfies Snapshot,
      't1',
    );

  it('is nobody on the host, nor in the trap, nor without a shell', () => {
    expect(at(shell)).toBeNull();
    expect(at(shell, process(3, 2, { pidForChildren: 99 }))).toBeNull();
    expect(at(process(3, 2))).toBeNull();
  });

  it('is whoever the newest descendant on the same terminal is, with all that is its own', () => {
    const waiting = process(3, 2, { comm: 'unshare', namespaces: { ...host, mnt: 21 } });
    const bash = process(4, 3, { namespaces: { ...host, pid: 4026532716, mnt: 21 } });
    expect(at(shell, waiting, bash)).toEqual({ own: ['pid', 'mnt'], label: 'pid:[4026532716]' });
    expect(at(shell, waiting, bash, process(5, 4, { namespaces: bash.namespaces }))?.label).toBe('pid:[4026532716]');
  });

  it('is not who has another terminal or none, nor who has ended', () => {
    const elsewhere = { namespaces: { ...host, uts: 44 } };
    expect(at(shell, process(3, 2, { ...elsewhere, controllingTty: null }))).toBeNull();
    expect(at(shell, process(3, 2, { ...elsewhere, state: 'Z' }))).toBeNull();
    expect(at(shell, process(3, 2, elsewhere))).toEqual({ own: ['uts'], label: 'uts:[44]' });
  });
});
