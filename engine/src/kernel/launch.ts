// Runs launch plans to their end: makes what launch needs, waits, and hands out what came of it.
import { openSync, rmSync } from 'node:fs';
import { EngineError } from '../model/engine-error.ts';
import { NO_LIMIT } from '../model/keeper-record.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import { keepStep } from '../model/plan-check.ts';
import type { PlanReport } from '../model/plan-report.ts';
import {
  closeAll,
  type DaemonEnd,
  isKeeperDirectory,
  keeperLives,
  loadRecord,
  makeKeeperFiles,
  openDaemonEnd,
} from './keeper-files.ts';
import type { Launched, LaunchOptions, RunOptions } from './kernel.ts';
import { KeptProcess } from './kept.ts';
import { bind, checked } from './libc.ts';
import { Notify } from './notify.ts';
import { FD, reap, RunningPlan } from './running-plan.ts';

const pipe2 = bind('int pipe2(_Out_ int *fds, int flags)');
const O_CLOEXEC = 0o2000000;
const DEFAULT_RING_BYTES = 2 * 2 ** 20;

/** Runs a plan without a keeper; see Kernel.run. */
export async function runPlan(plan: LaunchPlan, options: RunOptions = {}): Promise<PlanReport> {
  if (keepStep(plan))
    throw new EngineError('invalid_argument', 'Cannot run plan: it keeps a process, which needs a directory');
  const ends: [number, number] = [0, 0];
  checked('pipe2', 'notify', pipe2(ends, O_CLOEXEC));
  const nothing = openSync('/dev/null', 'r+');
  const notify = new Notify(ends[0]);
  const unused = [FD.record, FD.output, FD.control, FD.input].map((number) => [number, nothing] as const);
  let running: RunningPlan;
  try {
    running = new RunningPlan(plan, options, new Map([[FD.notify, ends[1]], ...unused]));
  } catch (error) {
    notify.close();
    throw error;
  } finally {
    closeAll([ends[1], nothing]);
  }
  const outcome = async () => {
    try {
      notify.onNews(() => running.look());
      await notify.ended;
      await reap(running.pid);
      return running.outcome();
    } finally {
      running.close();
    }
  };
  return Promise.race([outcome(), running.stuck]);
}

/** Runs a plan that ends in `keep`; see Kernel.launch. */
export async function launchPlan(plan: LaunchPlan, options: LaunchOptions): Promise<Launched> {
  const keep = keepStep(plan);
  if (!keep) throw new EngineError('invalid_argument', 'Cannot launch plan: its first block does not end in keep');
  const { directory, outputPath } = options;
  const isRing = keep.terminal !== undefined && outputPath === undefined;
  const start = {
    ringBytes: isRing ? (options.ringBytes ?? DEFAULT_RING_BYTES) : 0,
    limit: options.limitBytes === undefined ? NO_LIMIT : BigInt(options.limitBytes),
    cols: options.cols ?? 80,
    rows: options.rows ?? 24,
    keepBytes: isRing ? 0 : (options.keepBytes ?? 0),
  };
  const keeperEnd = makeKeeperFiles(directory, start, outputPath);
  let files: DaemonEnd | undefined;
  let running: RunningPlan;
  try {
    files = openDaemonEnd(directory, outputPath);
    const own = Object.entries(keeperEnd).map(([name, fd]) => [FD[name as keyof typeof keeperEnd], fd] as const);
    running = new RunningPlan(plan, options, new Map(own));
  } catch (error) {
    if (files) closeAll(Object.values(files));
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    closeAll(Object.values(keeperEnd));
  }
  const notify = new Notify(files.notify);
  const reaped = notify.ended.then(() => reap(running.pid));
  const launched = async (): Promise<Launched> => {
    try {
      await settled(files, notify, () => running.look());
      const outcome = running.outcome();
      const kept = new KeptProcess(directory, files, notify, reaped);
      return { report: outcome, slots: outcome.slots, rooms: outcome.rooms, kept };
    } catch (error) {
      await reaped;
      letGo(files, notify);
      rmSync(directory, { recursive: true, force: true });
      throw error;
    } finally {
      running.close();
    }
  };
  return Promise.race([launched(), running.stuck]);
}

/** Resolves when the plan has run, or failed: when the keeper says so, or ends. */
async function settled(files: DaemonEnd, notify: Notify, look: () => void = () => undefined): Promise<void> {
  for (;;) {
    const { state } = loadRecord(files.record);
    if (state !== 'starting' || notify.isEnded) return;
    look();
    await new Promise<void>((resolve) => {
      const stop = notify.onNews(() => {
        stop();
        resolve();
      });
    });
  }
}

/** Finds a keeper again; see Kernel.recover. */
export async function recoverKept(directory: string, outputPath?: string): Promise<KeptProcess | null> {
  if (!isKeeperDirectory(directory)) return null;
  const files = openDaemonEnd(directory, outputPath);
  // Opened before the question: a keeper that ends after it was found alive is seen to end.
  const notify = new Notify(files.notify);
  try {
    let reaped: Promise<void> = Promise.resolve();
    if (keeperLives(directory)) {
      await settled(files, notify);
      // Often another daemon's child, and init's now; but a handle may have been let go by this one. Only a keeper that is
      // seen to live is waited for: the pid of one that ended long ago may be another's.
      const { keeperPid } = loadRecord(files.record);
      reaped = notify.ended.then(() => reap(keeperPid));
    } else notify.end();
    const { state } = loadRecord(files.record);
    if (state !== 'starting' && state !== 'failed') return new KeptProcess(directory, files, notify, reaped);
  } catch (error) {
    letGo(files, notify);
    throw error;
  }
  letGo(files, notify);
  return null;
}

function letGo(files: DaemonEnd, notify: Notify): void {
  notify.close();
  closeAll([files.record, files.output, files.control, files.input]);
}
