import { describe, expect, it } from 'vitest';
import { PROC_EVENT, controlMessage, parseProcEvent } from './proc-event.ts';

/** A datagram as the kernel lays it out: nlmsghdr, cn_msg, proc_event. */
function datagram(what: number, fields: number[], type = 3): Buffer {
  const message = Buffer.alloc(36 + 16 + 4 * fields.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt32LE(1, 16);
  message.writeUInt32LE(1, 20);
  message.writeUInt32LE(what, 36);
  message.writeBigUInt64LE(5_250_000n, 44);
  fields.forEach((value, index) => message.writeUInt32LE(value >>> 0, 52 + 4 * index));
  return message;
}

describe('parseProcEvent', () => {
  it('tells a new process from a new thread', () => {
    expect(parseProcEvent(datagram(PROC_EVENT.fork, [11, 10, 20, 20]))).toEqual({
      kind: 'fork',
      monotonicMs: 5.25,
      pid: 20,
      parentPid: 10,
    });
    expect(parseProcEvent(datagram(PROC_EVENT.fork, [10, 10, 21, 20]))).toBeNull();
  });
  it('takes the wait status apart', () => {
    const end = (status: number) => parseProcEvent(datagram(PROC_EVENT.exit, [20, 20, status, 17, 10, 10]));
    expect(end(3 << 8)).toMatchObject({ kind: 'exit', pid: 20, code: 3, signal: null, parentPid: 10 });
    expect(end(9)).toMatchObject({ code: null, signal: 9 });
    expect(end(11 | 0x80)).toMatchObject({ code: null, signal: 11 });
    expect(parseProcEvent(datagram(PROC_EVENT.exit, [21, 20, 0, 17, 10, 10]))).toMatchObject({ kind: 'thread-exit' });
  });
  it('passes over what is not an event of a process', () => {
    expect(parseProcEvent(datagram(0, [0]))).toBeNull();
    expect(parseProcEvent(datagram(PROC_EVENT.comm, [21, 20]))).toBeNull();
    expect(parseProcEvent(datagram(PROC_EVENT.exec, [20, 20], 2))).toBeNull();
    const whole = datagram(PROC_EVENT.exit, [20, 20, 0, 17, 10, 10]);
    for (let length = 0; length < 56; length++) expect(parseProcEvent(whole.subarray(0, length))).toBeNull();
  });
});

describe('controlMessage', () => {
  it('is four bytes for every kernel, eight with a filter', () => {
    expect(controlMessage('ignore').subarray(32).toString('hex')).toBe('0400000002000000');
    expect(controlMessage('listen', 0x8000_0001).subarray(32).toString('hex')).toBe('080000000100000001000080');
  });
});
