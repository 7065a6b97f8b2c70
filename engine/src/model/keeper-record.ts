// What a keeper writes down, as bytes: the head of its `record` file, and the frames of its control FIFO. The same shapes
// are in engine/native/keep.c; the form of an output that is appended to is in output-chunks.ts. Pure.
import { EngineError } from './engine-error.ts';

const MAGIC = 0x4b59_5244;
const VERSION = 2;
/** Length of the `record` file: one page, which the keeper maps. */
export const RECORD_BYTES = 4096;
/** A keeper reads at most so much at once, straight into the ring: that much behind `written` may be in motion. */
export const CHUNK_BYTES = 65_536;
export const NO_LIMIT = 0xffff_ffff_ffff_ffffn;
const STATES = ['starting', 'running', 'ended', 'failed'] as const;

/** `failed`: the plan did not run to its end, so nothing was ever kept. */
export type KeeperState = (typeof STATES)[number];

export interface KeeperRecord {
  readonly state: KeeperState;
  readonly keeperPid: number;
  readonly pid: number;
  /** How the process ended; null while it runs. */
  readonly exit: ProcessExit | null;
  readonly cols: number;
  readonly rows: number;
  /** 0: the output is appended to, chunk by chunk. */
  readonly ringBytes: number;
  readonly writtenBytes: number;
  readonly limit: bigint;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Where the output of this run begins, in an output that goes on after others. */
  readonly beginBytes: number;
  /** How much of an appended output is kept, in whole blocks; 0: all of it. */
  readonly keepBytes: number;
  /** The oldest block of an appended output that can still be read. */
  readonly keptFromBytes: number;
}

/** What the daemon asks of a keeper. */
export interface KeeperStart {
  readonly ringBytes: number;
  readonly limit: bigint;
  readonly cols: number;
  readonly rows: number;
  readonly keepBytes?: number;
  readonly beginBytes?: number;
  /** What is there already. */
  readonly writtenBytes?: number;
  readonly keptFromBytes?: number;
}

/** One of both is null. Both are: nobody saw the end, because the keeper itself was killed. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: number | null;
}

/** The record as the daemon makes it, before there is a keeper. */
export function newRecord(start: KeeperStart): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(24, start.cols, true);
  view.setUint32(28, start.rows, true);
  view.setBigUint64(32, BigInt(start.ringBytes), true);
  view.setBigUint64(40, BigInt(start.writtenBytes ?? 0), true);
  view.setBigUint64(48, start.limit, true);
  view.setBigUint64(72, BigInt(start.beginBytes ?? 0), true);
  view.setBigUint64(80, BigInt(start.keepBytes ?? 0), true);
  view.setBigUint64(88, BigInt(start.keptFromBytes ?? 0), true);
  return bytes;
}

/** Throws EngineError internal when these are not the bytes of a record (of this version). */
export function readRecord(bytes: Uint8Array): KeeperRecord {
  if (bytes.length < 96)
    throw new EngineError('internal', `Cannot read keeper record: it is ${bytes.length} bytes long`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const state = STATES[view.getUint32(8, true)];
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION || state === undefined)
    throw new EngineError('internal', 'Cannot read keeper record: it was not written by this version of launch');
  return {
    state,
    keeperPid: view.getUint32(12, true),
    pid: view.getUint32(16, true),
    exit: state === 'ended' ? decodeStatus(view.getInt32(20, true)) : null,
    cols: view.getUint32(24, true),
    rows: view.getUint32(28, true),
    ringBytes: Number(view.getBigUint64(32, true)),
    writtenBytes: Number(view.getBigUint64(40, true)),
    limit: view.getBigUint64(48, true),
    startedAtMs: Number(view.getBigUint64(56, true) / 1_000_000n),
    endedAtMs: Number(view.getBigUint64(64, true) / 1_000_000n),
    beginBytes: Number(view.getBigUint64(72, true)),
    keepBytes: Number(view.getBigUint64(80, true)),
    keptFromBytes: Number(view.getBigUint64(88, true)),
  };
}

/** The status of wait(2): the low seven bits are the signal, the next byte the exit code. */
export function decodeStatus(status: number): ProcessExit {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: null } : { code: null, signal };
}

/** Offsets of the output that can still be read: [oldest, written). */
export function keptFrom(record: KeeperRecord): number {
  if (record.ringBytes === 0) return record.keptFromBytes;
  return Math.max(0, record.writtenBytes - (record.ringBytes - CHUNK_BYTES));
}

export type ControlFrame =
  | { readonly verb: 'limit'; readonly limit: bigint }
  | { readonly verb: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly verb: 'signal'; readonly signal: number }
  | { readonly verb: 'endInput' };

/** 16 bytes: far below PIPE_BUF, so a frame is written whole or not at all. */
export function controlFrame(frame: ControlFrame): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  switch (frame.verb) {
    case 'limit':
      view.setUint32(0, 1, true);
      view.setBigUint64(8, frame.limit, true);
      break;
    case 'resize':
      view.setUint32(0, 2, true);
      view.setUint32(4, frame.cols, true);
      view.setBigUint64(8, BigInt(frame.rows), true);
      break;
    case 'signal':
      view.setUint32(0, 3, true);
      view.setUint32(4, frame.signal, true);
      break;
    case 'endInput':
      view.setUint32(0, 4, true);
      break;
  }
  return bytes;
}
