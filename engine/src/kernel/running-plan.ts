// A launch plan in shared memory and the launch that runs it: starts it, reads how far it came, steps it, ends it.
// Everything here is reads and writes of one memfd; launch looks at what was written within 50 ms.
import { closeSync, readSync, writeSync } from 'node:fs';
import { EngineError, SysError } from '../model/engine-error.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import { compilePlan, FAILED_AT, FIRST_GIVEN, permitAt, type PlanImage, type StepPlace } from '../model/plan-image.ts';
import { PlanError, type PlanReport, readReport } from '../model/plan-report.ts';
import type { Architecture } from '../model/syscall-table.ts';
import type { RunOptions } from './kernel.ts';
import { memfd, spawnLaunch } from './launch-program.ts';
import { noteSteps } from './note-steps.ts';
import { bindUnseen } from './libc.ts';

const waitpid = bindUnseen('int waitpid(int pid, _Out_ int *status, int options)');
const WNOHANG = 1;
/** A process that enters a sandbox can be stopped by those inside (SIGSTOP) before its execve. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** What is killed is gone within milliseconds, and within the 50 ms after which launch looks at its plan. */
const ENDING_MS = 2_000;
const ENDED_BY_DAEMON = 0xffff_ffff;
const PERMITS = { go: 1, skip: 2 } as const;
/** Descriptors of launch itself: native/plan.h. */
export const FD = { plan: 3, notify: 4, record: 5, output: 6, control: 7, input: 8 } as const;

export const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

export class RunningPlan {
  readonly pid: number;
  readonly #image: PlanImage;
  readonly #planFd: number;
  readonly #options: RunOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #endedFor: 'ETIME' | 'ECANCELED' | null = null;
  #stuckTimer: NodeJS.Timeout | undefined;
  #giveUp: (why: SysError) => void = () => undefined;
  /**
   * Rejects when a plan that was told to end does not: one of its processes waits where no signal reaches it, for a FUSE
   * server that never answers. It ends with the sandbox it has entered; nobody has to wait for that.
   */
  readonly stuck: Promise<never> = new Promise((_, reject) => (this.#giveUp = reject));

  /** `own`: launch's own descriptors by their number there. They and the given ones stay the caller's. */
  constructor(plan: LaunchPlan, options: RunOptions, own: ReadonlyMap<number, number>) {
    const stepping = options.onHeld !== undefined;
    this.stuck.catch(() => undefined);
    this.#options = options;
    this.#image = compilePlan(plan, { architecture, inject: options.inject ?? [], stepping });
    const descriptors = new Map(own);
    this.#image.given.forEach((name, index) => descriptors.set(FIRST_GIVEN + index, given(name, options)));
    options.signal?.throwIfAborted();
    this.#planFd = memfd('drydock-plan');
    try {
      const { bytes } = this.#image;
      for (let at = 0; at < bytes.length;) at += writeSync(this.#planFd, bytes, at);
      this.pid = spawnLaunch(descriptors.set(FD.plan, this.#planFd));
    } catch (error) {
      closeSync(this.#planFd);
      throw error;
    }
    options.signal?.addEventListener('abort', this.#cancel);
    if (!stepping) this.#timer = setTimeout(() => this.#end('ETIME'), this.#timeoutMs);
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  report(): PlanReport {
    const bytes = new Uint8Array(this.#image.bytes.length);
    for (let at = 0; at < bytes.length;) {
      const count = readSync(this.#planFd, bytes, at, bytes.length - at, at);
      if (count === 0) break;
      at += count;
    }
    return readReport(this.#image, bytes);
  }

  /** The report of a plan that ran. Throws what ended it: PlanError, or SysError ETIME or ECANCELED. */
  outcome(): PlanReport {
    const report = this.report();
    noteSteps(report);
    if (this.#endedFor !== null && !report.ran) throw this.#ended(this.#endedFor);
    if (report.failed) throw new PlanError(report.failed, report);
    if (report.ran) return report;
    this.#write(FAILED_AT, ENDED_BY_DAEMON); // for processes of the plan that outlived their keeper
    throw new EngineError('internal', 'Cannot run launch plan: launch was killed or refused it');
  }

  /** There is news: a step may be held. */
  look(): void {
    this.#options.onHeld?.(this.report(), (place, permit) => this.#permit(place, permit));
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#stuckTimer);
    this.#options.signal?.removeEventListener('abort', this.#cancel);
    closeSync(this.#planFd);
  }

  #permit(place: StepPlace, permit: keyof typeof PERMITS): void {
    this.#write(permitAt(this.#image, place), PERMITS[permit]);
  }

  readonly #cancel = (): void => this.#end('ECANCELED');

  /** launch kills and reaps all that the plan made, wherever its processes are. */
  #end(why: 'ETIME' | 'ECANCELED'): void {
    this.#endedFor ??= why;
    this.#write(FAILED_AT, ENDED_BY_DAEMON);
    this.#stuckTimer ??= setTimeout(() => this.#giveUp(this.#ended(why)), ENDING_MS);
  }

  #ended(why: 'ETIME' | 'ECANCELED'): SysError {
    const hint = why === 'ETIME' ? `it took longer than ${this.#timeoutMs} ms` : 'it was cancelled';
    return new SysError('run', why, 'launch plan', hint);
  }

  #write(at: number, word: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(word);
    writeSync(this.#planFd, bytes, 0, 4, at);
  }
}

/** Waits for a keeper that has closed everything: it is a zombie, or about to be one. Not a child of the daemon's: returns. */
export async function reap(pid: number): Promise<void> {
  const status: [number] = [0];
  // 0: not yet. Else its pid, or an error: ECHILD.
  while (waitpid(pid, status, WNOHANG) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

function given(name: string, options: RunOptions): number {
  const fd = options.descriptors?.[name];
  if (fd !== undefined) return fd;
  throw new EngineError('invalid_argument', `Cannot launch plan: it names a descriptor "${name}" that was not given`);
}
