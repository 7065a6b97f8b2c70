// A kernel that only notes what it was asked to run: for unit tests of code that makes plans, and of what such code
// undoes when a step fails. It checks and compiles every plan as the real one does; nothing is made.
import { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import type { ProcessExit } from '../model/keeper-record.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import { compilePlan, type StepPlace } from '../model/plan-image.ts';
import { PlanError, type PlanReport, readReport } from '../model/plan-report.ts';
import type { Kept, Kernel, Launched, LaunchOptions, RunOptions } from './kernel.ts';

/** What the next plans do: all run, unless a failure was asked for. */
export interface FakeFailure extends StepPlace {
  readonly errno: string;
  /** Which plan, counted from 0. */
  readonly plan: number;
}

export class FakeKernel implements Kernel {
  /** Every plan, in order, with what it was run with. */
  readonly plans: { readonly plan: LaunchPlan; readonly options: RunOptions | LaunchOptions }[] = [];
  readonly kept = new Map<string, FakeKept>();
  /** Results that steps save, and what the kernel writes into rooms. */
  slots: Record<string, number> = {};
  rooms: Record<string, Uint8Array> = {};
  failures: FakeFailure[] = [];
  #nextPid = 1000;

  run(plan: LaunchPlan, options: RunOptions = {}): Promise<PlanReport> {
    return Promise.resolve().then(() => this.#report(plan, options));
  }

  launch(plan: LaunchPlan, options: LaunchOptions): Promise<Launched> {
    return Promise.resolve().then(() => {
      if (this.kept.has(options.directory))
        throw new EngineError('conflict', `Cannot make "${options.directory}": it exists`);
      const report = this.#report(plan, options);
      const kept = new FakeKept(options, (this.#nextPid += 2), () => this.kept.delete(options.directory));
      this.kept.set(options.directory, kept);
      return { report, slots: report.slots, rooms: report.rooms, kept };
    });
  }

  recover(directory: string): Promise<Kept | null> {
    return Promise.resolve(this.kept.get(directory) ?? null);
  }

  #report(plan: LaunchPlan, options: RunOptions): PlanReport {
    const number = this.plans.length;
    this.plans.push({ plan, options });
    const image = compilePlan(plan, { architecture: 'x86_64' });
    const missing = image.given.find((name) => options.descriptors?.[name] === undefined);
    if (missing !== undefined)
      throw new EngineError(
        'invalid_argument',
        `Cannot launch plan: it names a descriptor "${missing}" that was not given`,
      );
    const blank = readReport(image, image.bytes);
    const failure = this.failures.find((one) => one.plan === number);
    const steps = blank.steps.map((step) => {
      const isFailed = failure?.block === step.block && failure.index === step.index;
      return {
        ...step,
        ...(isFailed ? { state: 'failed' as const, result: -1, errno: failure.errno } : { state: 'done' as const }),
      };
    });
    const failed = steps.find((step) => step.state === 'failed') ?? null;
    const report: PlanReport = {
      steps,
      failed,
      beganNs: 0n,
      ran: failed === null,
      slots: new Map([...[...image.slots.keys()].map((name) => [name, 0] as const), ...Object.entries(this.slots)]),
      rooms: new Map([...blank.rooms, ...Object.entries(this.rooms)]),
    };
    if (failed) throw new PlanError(failed, report);
    return report;
  }
}

/** A process that does nothing until a test ends it. */
export class FakeKept implements Kept {
  readonly directory: string;
  readonly keeperPid: number;
  readonly pid: number;
  readonly startedAtMs = 0;
  readonly endedAtMs = null;
  readonly exit: Promise<ProcessExit>;
  readonly form = 'raw';
  readonly begin = 0;
  readonly keptFrom = 0;
  /** What was sent to it. */
  readonly typed: Uint8Array[] = [];
  readonly signals: number[] = [];
  readonly #output: Uint8Array[] = [];
  readonly #removed: () => void;
  #size: { cols: number; rows: number };
  #end: (exit: ProcessExit) => void = () => undefined;
  #alive = true;

  constructor(options: LaunchOptions, pid: number, removed: () => void) {
    this.directory = options.directory;
    this.pid = pid;
    this.keeperPid = pid - 1;
    this.#size = { cols: options.cols ?? 80, rows: options.rows ?? 24 };
    this.#removed = removed;
    this.exit = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** For tests: the process writes, and ends. */
  print(bytes: Uint8Array): void {
    this.#output.push(bytes);
  }
  end(exit: ProcessExit): void {
    this.#alive = false;
    this.#end(exit);
  }

  get alive(): boolean {
    return this.#alive;
  }
  get size(): { cols: number; rows: number } {
    return this.#size;
  }
  get written(): number {
    return this.#output.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  follow(from = 0): { offset: number; stream: Readable } {
    return { offset: from, stream: Readable.from([Buffer.concat(this.#output).subarray(from)], { objectMode: false }) };
  }
  write(bytes: Uint8Array): Promise<void> {
    this.typed.push(bytes);
    return Promise.resolve();
  }
  endInput(): Promise<void> {
    return Promise.resolve();
  }
  resize(cols: number, rows: number): Promise<void> {
    this.#size = { cols, rows };
    return Promise.resolve();
  }
  signal(signal: number): Promise<void> {
    this.signals.push(signal);
    return Promise.resolve();
  }
  release(): void {}
  dispose(): void {
    if (this.#alive) throw new EngineError('conflict', `Cannot dispose of process ${this.pid}: it is running`);
    this.#removed();
  }
}
