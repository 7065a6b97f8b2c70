// The daemon's handle of a kept process: reads what its keeper wrote down, follows its output, sends it input and
// orders. Holds nothing that the keeper's directory does not: after a restart the same handle is made from there.
import { closeSync, readSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import {
  type ControlFrame,
  controlFrame,
  keptFrom,
  type KeeperRecord,
  NO_LIMIT,
  type ProcessExit,
} from '../model/keeper-record.ts';
import { closeAll, type DaemonEnd, loadRecord } from './keeper-files.ts';
import type { FollowOptions, Kept } from './kernel.ts';
import { Notify } from './notify.ts';
import { OutputFollower, type OutputSource } from './output-follower.ts';

const CONTROL_RETRY_MS = 20;

export class KeptProcess implements Kept, OutputSource {
  readonly directory: string;
  readonly exit: Promise<ProcessExit>;
  readonly #files: DaemonEnd;
  readonly #notify: Notify;
  readonly #input: Socket;
  readonly #followers = new Set<OutputFollower>();
  readonly #ownLimit: bigint;
  #sentLimit: bigint;
  #last: KeeperRecord;
  #open = true;
  #isClosed = false;

  /** `reaped` resolves when the keeper is a zombie no more: the daemon that started it has to wait for it. */
  constructor(directory: string, files: DaemonEnd, notify: Notify, reaped: Promise<void>) {
    this.directory = directory;
    this.#files = files;
    this.#notify = notify;
    this.#last = loadRecord(files.record);
    // What bounds all of an output is not ours to move; a limit for the sake of followers may be that of an earlier daemon.
    this.#ownLimit = this.#window === 0 ? this.#last.limit : NO_LIMIT;
    this.#sentLimit = this.#last.limit;
    this.#input = new Socket({ fd: files.input, readable: false, writable: true });
    this.#input.on('error', () => this.#input.destroy()); // each write() tells its own caller
    notify.onNews(() => {
      for (const follower of this.#followers) follower.look();
      if (notify.isEnded) this.#input.destroy(); // also ends a write() that waits for a reader
    });
    // The limit is the launch's, until somebody could follow; or a follower's of a daemon that died.
    setImmediate(() => this.#sendLimit());
    this.exit = notify.ended.then(() => reaped).then(() => this.record().exit ?? { code: null, signal: null });
  }

  record(): KeeperRecord {
    // A handle that was let go keeps its last view: the files are closed.
    if (this.#open) this.#last = loadRecord(this.#files.record);
    return this.#last;
  }

  get keeperPid(): number {
    return this.record().keeperPid;
  }

  get pid(): number {
    return this.record().pid;
  }

  get startedAtMs(): number {
    return this.record().startedAtMs;
  }

  get endedAtMs(): number | null {
    return this.record().endedAtMs || null;
  }

  get size(): { cols: number; rows: number } {
    const { cols, rows } = this.record();
    return { cols, rows };
  }

  get form(): 'raw' | 'chunks' {
    return this.#last.ringBytes === 0 ? 'chunks' : 'raw';
  }

  get begin(): number {
    return this.#last.beginBytes;
  }

  /** How far back the keeper remembers; 0: everything. */
  get #window(): number {
    return this.#last.ringBytes || this.#last.keepBytes;
  }

  get written(): number {
    return this.record().writtenBytes;
  }

  get keptFrom(): number {
    return keptFrom(this.record());
  }

  get alive(): boolean {
    return !this.isOver;
  }

  /** Nothing more will be written: the process ended, or its keeper is gone. */
  get isOver(): boolean {
    return this.#notify.isEnded || this.record().state === 'ended';
  }

  readOutput(into: Uint8Array, at: number): number {
    return readSync(this.#files.output, into, 0, into.length, at);
  }

  follow(from = this.begin, options: FollowOptions = {}): { offset: number; stream: Readable } {
    if (!this.#open) throw new EngineError('conflict', `Cannot follow "${this.directory}": its handle was let go`);
    const { holds = true, patienceMs } = options;
    const stream = new OutputFollower(this, { from, holds, patienceMs }, () => {
      this.#followers.delete(stream);
      this.#sendLimit();
      this.#closeUnread();
    });
    this.#followers.add(stream);
    this.#sendLimit();
    return { offset: stream.offset, stream };
  }

  /** The slowest follower bounds the keeper: it must not write over what is still to be read. */
  moved(): void {
    this.#sendLimit();
  }

  #sendLimit(): void {
    const window = this.#window;
    if (window === 0 || !this.#open || this.#notify.isEnded) return;
    let limit = this.#ownLimit;
    for (const follower of this.#followers) {
      if (!follower.holds) continue;
      const bound = BigInt(follower.position + Math.floor(window / 2));
      if (bound < limit) limit = bound;
    }
    // Each order costs the keeper a wake-up: a limit that only moves on is sent in strides.
    const stride = BigInt(Math.floor(window / 8));
    const isLess = limit < this.#sentLimit;
    if (!isLess && limit !== NO_LIMIT && limit - this.#sentLimit < stride) return;
    if (limit === this.#sentLimit) return;
    this.#sentLimit = limit;
    this.#order({ verb: 'limit', limit }).catch(() => undefined); // a keeper that is gone needs no limit
  }

  async #order(frame: ControlFrame): Promise<void> {
    const bytes = controlFrame(frame);
    while (this.#open && !this.isOver) {
      try {
        writeSync(this.#files.control, bytes);
        return;
      } catch (error) {
        // EAGAIN: 4 096 orders wait already, so the keeper is stopped or frozen.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, CONTROL_RETRY_MS));
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.isOver || this.#input.destroyed)
      throw new EngineError('conflict', `Cannot write to process ${this.pid}: it has ended`);
    await new Promise<void>((resolve, reject) => {
      this.#input.write(bytes, (error) => (error && !this.isOver ? reject(error) : resolve()));
    });
  }

  endInput(): Promise<void> {
    return this.#order({ verb: 'endInput' });
  }

  resize(cols: number, rows: number): Promise<void> {
    return this.#order({ verb: 'resize', cols, rows });
  }

  signal(signal: number): Promise<void> {
    return this.#order({ verb: 'signal', signal });
  }

  release(): void {
    if (!this.#open) return;
    this.record();
    const isOver = this.isOver;
    this.#open = false;
    // All of an ended process's output is there: who follows reads it to its end.
    if (!isOver) for (const follower of this.#followers) follower.destroy();
    this.#notify.close();
    this.#input.destroy();
    closeAll([this.#files.record, this.#files.control]);
    this.#closeUnread();
  }

  #closeUnread(): void {
    if (this.#open || this.#isClosed || this.#followers.size > 0) return;
    this.#isClosed = true;
    closeSync(this.#files.output);
  }

  dispose(): void {
    if (this.alive) throw new EngineError('conflict', `Cannot dispose of process ${this.pid}: it is running`);
    this.release();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
