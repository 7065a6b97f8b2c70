import { expect, test } from 'vitest';
import { CHUNK_BYTES, controlFrame, decodeStatus, keptFrom, newRecord, NO_LIMIT, readRecord } from './keeper-record.ts';

const fresh = () => newRecord({ ringBytes: 2 ** 21, limit: NO_LIMIT, cols: 100, rows: 30 });

test('a new record says how the keeper is to begin', () => {
  expect(readRecord(fresh())).toEqual({
    state: 'starting',
    keeperPid: 0,
    pid: 0,
    exit: null,
    cols: 100,
    rows: 30,
    ringBytes: 2 ** 21,
    writtenBytes: 0,
    limit: NO_LIMIT,
    startedAtMs: 0,
    endedAtMs: 0,
    beginBytes: 0,
    keepBytes: 0,
    keptFromBytes: 0,
  });
});

test('a run in a log that goes on begins where the last one ended', () => {
  const log = { beginBytes: 70_000, writtenBytes: 70_016, keepBytes: 2 ** 20, keptFromBytes: 65_536 };
  const record = readRecord(newRecord({ ringBytes: 0, limit: NO_LIMIT, cols: 80, rows: 24, ...log }));
  expect(record).toMatchObject(log);
  expect(keptFrom(record)).toBe(65_536);
});

test('an ended record has the exit, and times in milliseconds', () => {
  const bytes = fresh();
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 2, true);
  view.setInt32(20, 42 << 8, true);
  view.setBigUint64(56, 1_700_000_000_123_456_789n, true);
  expect(readRecord(bytes)).toMatchObject({
    state: 'ended',
    exit: { code: 42, signal: null },
    startedAtMs: 1_700_000_000_123,
  });
});

test.each([
  ['another magic', 0, 7],
  ['another version', 4, 7],
  ['a state nobody knows', 8, 7],
])('a record with %s is refused', (_, at, word) => {
  const bytes = fresh();
  new DataView(bytes.buffer).setUint32(at, word, true);
  expect(() => readRecord(bytes)).toThrow('was not written by this version of launch');
});

test('a status is a code or a signal, a core dump or not', () => {
  expect(decodeStatus(0)).toEqual({ code: 0, signal: null });
  expect(decodeStatus(255 << 8)).toEqual({ code: 255, signal: null });
  expect(decodeStatus(9)).toEqual({ code: null, signal: 9 });
  expect(decodeStatus(11 | 0x80)).toEqual({ code: null, signal: 11 });
});

test('what the keeper may be writing over just now is not kept', () => {
  const record = readRecord(fresh());
  expect(keptFrom({ ...record, writtenBytes: 1000 })).toBe(0);
  expect(keptFrom({ ...record, writtenBytes: 5_000_000 })).toBe(5_000_000 - 2 ** 21 + CHUNK_BYTES);
  expect(keptFrom({ ...record, ringBytes: 0, writtenBytes: 5_000_000 })).toBe(0);
});

test('orders are 16 bytes: a verb, a small number, a large one', () => {
  const words = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer);
    return [bytes.length, view.getUint32(0, true), view.getUint32(4, true), view.getBigUint64(8, true)];
  };
  expect(words(controlFrame({ verb: 'limit', limit: NO_LIMIT }))).toEqual([16, 1, 0, NO_LIMIT]);
  expect(words(controlFrame({ verb: 'resize', cols: 80, rows: 24 }))).toEqual([16, 2, 80, 24n]);
  expect(words(controlFrame({ verb: 'signal', signal: 15 }))).toEqual([16, 3, 15, 0n]);
  expect(words(controlFrame({ verb: 'endInput' }))).toEqual([16, 4, 0, 0n]);
});
