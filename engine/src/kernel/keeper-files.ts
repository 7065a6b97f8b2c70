// The files of a keeper's directory: `record` (who and how far), `output` (what it wrote), and three FIFOs: `notify`
// (keeper to daemon), `control` and `input` (daemon to keeper). Makes them, opens them, asks whether a keeper lives.
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  type KeeperRecord,
  type KeeperStart,
  newRecord,
  NO_LIMIT,
  readRecord,
  RECORD_BYTES,
} from '../model/keeper-record.ts';
import { bind, checked } from './libc.ts';
import { beginRun } from './output-file.ts';

const mkfifo = bind('int mkfifo(const char *path, unsigned int mode)');
const flock = bind('int flock(int fd, int operation)');
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

const { O_RDONLY, O_RDWR, O_NONBLOCK, O_CREAT, O_EXCL } = constants;
const PRIVATE = 0o600;

export const recordPath = (directory: string) => join(directory, 'record');
const fifo = (directory: string, name: 'notify' | 'control' | 'input') => join(directory, name);

/** What a keeper is started with; the daemon closes its copies once it runs. */
export interface KeeperEnd {
  readonly record: number;
  readonly output: number;
  readonly notify: number;
  readonly control: number;
  readonly input: number;
}

/** The daemon's own ends. */
export interface DaemonEnd {
  readonly record: number;
  readonly output: number;
  /** Taken over by Notify and by the input's socket. */
  readonly notify: number;
  readonly input: number;
  readonly control: number;
}

/** Makes the directory with all its files and takes the keeper's lock: from here on it counts as alive until it ends. */
export function makeKeeperFiles(
  directory: string,
  start: Omit<KeeperStart, 'beginBytes' | 'writtenBytes' | 'keptFromBytes'>,
  outputPath?: string,
): KeeperEnd {
  mkdirSync(directory, { mode: 0o700 });
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags, PRIVATE);
    opened.push(fd);
    return fd;
  };
  try {
    const record = open(recordPath(directory), O_RDWR | O_CREAT | O_EXCL);
    // The lock belongs to the open file description, which the keeper inherits: it is held until the last copy is closed.
    checked('flock', recordPath(directory), flock(record, LOCK_EX | LOCK_NB));
    const output = open(outputPath ?? join(directory, 'output'), O_RDWR | O_CREAT);
    const begin = outputPath === undefined ? { beginBytes: 0 } : beginRun(output);
    // Where not all is kept, nothing is given up before whoever wants to follow from the beginning could say so.
    const window = start.ringBytes || (start.keepBytes ?? 0);
    const limit =
      window > 0 && start.limit === NO_LIMIT ? BigInt(begin.beginBytes + Math.ceil(window / 2)) : start.limit;
    writeSync(record, newRecord({ ...start, ...begin, limit }));
    if (start.ringBytes > 0) ftruncateSync(output, start.ringBytes); // sparse: pages come with the first byte
    // Read and write: a FIFO opened so needs nobody at its other end and is never at its end (fifo(7)).
    const fifos = (['notify', 'control', 'input'] as const).map((name) => {
      const path = fifo(directory, name);
      checked('mkfifo', path, mkfifo(path, PRIVATE));
      return open(path, O_RDWR | O_NONBLOCK);
    });
    const [notify = -1, control = -1, input = -1] = fifos;
    return { record, output, notify, control, input };
  } catch (error) {
    closeAll(opened);
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

export function openDaemonEnd(directory: string, outputPath?: string): DaemonEnd {
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    return {
      record: open(recordPath(directory), O_RDONLY),
      output: open(outputPath ?? join(directory, 'output'), O_RDONLY),
      notify: open(fifo(directory, 'notify'), O_RDONLY | O_NONBLOCK),
      // Read and write here too: O_WRONLY would fail with ENXIO once the keeper is gone, and what is written then is nobody's.
      input: open(fifo(directory, 'input'), O_RDWR | O_NONBLOCK),
      control: open(fifo(directory, 'control'), O_RDWR | O_NONBLOCK),
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** Were all files made? A daemon that is killed while it makes them leaves some; no keeper was started then. */
export function isKeeperDirectory(directory: string): boolean {
  const record = statSync(recordPath(directory), { throwIfNoEntry: false });
  return record?.size === RECORD_BYTES && existsSync(fifo(directory, 'input')); // the last one made
}

export function loadRecord(fd: number): KeeperRecord {
  const bytes = Buffer.alloc(RECORD_BYTES);
  return readRecord(bytes.subarray(0, readSync(fd, bytes, 0, RECORD_BYTES, 0)));
}

/** Does the keeper live? Its lock says so, without any race about reused pids. */
export function keeperLives(directory: string): boolean {
  const fd = openSync(recordPath(directory), O_RDONLY);
  try {
    if (flock(fd, LOCK_EX | LOCK_NB) !== 0) return true;
    flock(fd, LOCK_UN);
    return false;
  } finally {
    closeSync(fd);
  }
}

export function closeAll(fds: Iterable<number>): void {
  for (const fd of fds) closeSync(fd);
}
