// What the engine asks of the kernel to make and keep processes: one interface, with a real implementation (linux.ts)
// and one that only notes what it was asked (fake.ts).
import type { Readable } from 'node:stream';
import type { ProcessExit } from '../model/keeper-record.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import type { CompileOptions, StepPlace } from '../model/plan-image.ts';
import type { PlanReport } from '../model/plan-report.ts';

export interface RunOptions {
  /** Descriptors the plan names as `given`; they stay the caller's own. */
  readonly descriptors?: Readonly<Record<string, number>>;
  readonly inject?: NonNullable<CompileOptions['inject']>;
  /** Hang guard: what the plan made is killed then, and the run throws SysError ETIME. Default: 30 s; none when stepping. */
  readonly timeoutMs?: number;
  /** Ends the plan in the same way, with SysError ECANCELED. Once the plan ran it does nothing. */
  readonly signal?: AbortSignal;
  /**
   * Single stepping: every step is held until it has a permit. Called whenever there is news; the steps that wait are
   * those in the state `held`. A skipped step is not made. A daemon that dies meanwhile ends the plan.
   */
  readonly onHeld?: (report: PlanReport, permit: (place: StepPlace, permit: 'go' | 'skip') => void) => void;
}

export interface LaunchOptions extends RunOptions {
  /** The keeper's directory, on a tmpfs: it must not exist yet, its parent must. */
  readonly directory: string;
  /** What the keeper appends to, in the form of model/output-chunks.ts: a container's log on disk. It goes on where the last
   * run's output ended. Without it the output is in the keeper's directory: appended for pipes, a ring for a terminal. */
  readonly outputPath?: string;
  /** How much of an appended output is kept, in whole blocks of 64 KiB: older ones are given back to the file system, but none
   * that a follower has yet to read. Default: all. */
  readonly keepBytes?: number;
  /** How much of a terminal can be read again. Default 2 MiB. */
  readonly ringBytes?: number;
  /** Size of the terminal, as the plan sets it. */
  readonly cols?: number;
  readonly rows?: number;
  /** The keeper reads no more once so much was written; the process waits. Default: no limit. */
  readonly limitBytes?: number;
}

/** A plan that ran: its report, and the handle of what it left running. */
export interface Launched {
  readonly report: PlanReport;
  readonly slots: ReadonlyMap<string, number>;
  readonly rooms: ReadonlyMap<string, Uint8Array>;
  readonly kept: Kept;
}

export interface FollowOptions {
  /** Where not all output is kept: who reads slowly makes the process wait, and misses nothing (default); or it waits for
   * nobody, and who is too slow goes on with the oldest that is kept. A terminal's ring always waits. */
  readonly holds?: boolean;
  /** Who does not read at all for so long while the process waits for it holds it no longer. Default: for ever. */
  readonly patienceMs?: number;
}

/** A process with its keeper: the same for one just launched and one found again after a restart. */
export interface Kept {
  readonly directory: string;
  readonly keeperPid: number;
  /** As the daemon counts pids. */
  readonly pid: number;
  readonly startedAtMs: number;
  /** null while it runs, and when nobody saw its end. */
  readonly endedAtMs: number | null;
  readonly exit: Promise<ProcessExit>;
  readonly alive: boolean;
  /** Size of the terminal. */
  readonly size: { readonly cols: number; readonly rows: number };
  /** `chunks`: follow() gives chunks (model/output-chunks.ts), each piece of the stream whole ones. `raw`: a terminal's bytes. */
  readonly form: 'raw' | 'chunks';
  /** Position where this process's output begins: not 0 in a log that has that of earlier runs. */
  readonly begin: number;
  /** Position after the last byte of output, and of the oldest that can still be read. */
  readonly written: number;
  readonly keptFrom: number;
  /**
   * Output from `from` (default: begin; or the oldest kept byte after it) to the process's end; `offset` is the first byte's
   * position. `from` must be the start of a chunk, or of a block. Several may follow at once. Destroy it to leave.
   * Where not all output is kept: who follows in the turn of the event loop in which the launch resolves misses nothing.
   */
  follow(from?: number, options?: FollowOptions): { readonly offset: number; readonly stream: Readable };
  /** Resolves when the keeper's FIFO has taken the bytes: not before the process reads, when it reads slowly. */
  write(bytes: Uint8Array): Promise<void>;
  /** stdin ends after what was written so far; on a terminal it does nothing (type the VEOF character). */
  endInput(): Promise<void>;
  resize(cols: number, rows: number): Promise<void>;
  /** Sends a signal to the process, never to another that took its number. */
  signal(signal: number): Promise<void>;
  /** Lets go of the keeper without touching it, for a daemon that ends: `exit` of this handle then never comes. */
  release(): void;
  /** Removes the directory of a process that ended; who follows still gets the rest. Throws EngineError conflict while it runs. */
  dispose(): void;
}

export interface Kernel {
  /** Runs a plan that keeps nothing. Throws SysError (see PlanError) when a step fails; then nothing of it is left. */
  run(plan: LaunchPlan, options?: RunOptions): Promise<PlanReport>;
  /** Runs a plan that ends in `keep`. Throws like run(). */
  launch(plan: LaunchPlan, options: LaunchOptions): Promise<Launched>;
  /** The keeper of a directory, after a restart. Null: its plan never ran to the end (the directory can be removed). */
  recover(directory: string, outputPath?: string): Promise<Kept | null>;
}
