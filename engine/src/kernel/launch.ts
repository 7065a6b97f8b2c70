// Runs launch plans: lays them out in shared memory, starts launch, waits for the end of the plan, reads what came of it.
import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { EngineError, SysError } from '../model/engine-error.ts';
import { NO_LIMIT, type KeeperRecord } from '../model/keeper-record.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import { keepStep } from '../model/plan-check.ts';
import { compilePlan, FIRST_GIVEN, type PlanImage } from '../model/plan-image.ts';
import { PlanError, type PlanReport, readReport } from '../model/plan-report.ts';
import type { Architecture } from '../model/syscall-table.ts';
import {
  closeAll,
  type DaemonEnd,
  isKeeperDirectory,
  keeperLives,
  loadRecord,
  makeKeeperFiles,
  openDaemonEnd,
} from './keeper-files.ts';
import type { Launched, LaunchOptions, RunOptions, RunPlanOptions } from './kernel.ts';
import { KeptProcess } from './kept.ts';
import { memfd, spawnLaunch } from './launch-program.ts';
import { bind, checked } from './libc.ts';
import { Notify } from './notify.ts';

const pipe2 = bind('int pipe2(_Out_ int *fds, int flags)');
const waitpid = bind('int waitpid(int pid, _Out_ int *status, int options)');
const { O_CLOEXEC, WNOHANG } = { O_CLOEXEC: 0o2000000, WNOHANG: 1 };
const NO_TIMEOUT = 0x7fff_ffff;
const DEFAULT_RING_BYTES = 2 * 2 ** 20;
const FD = { plan: 3, notify: 4, record: 5, output: 6, control: 7, input: 8 } as const;

export const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** A plan in shared memory, and the launch that runs it. */
interface Running {
  readonly pid: number;
  readonly image: PlanImage;
  readonly planFd: number;
}

function start(plan: LaunchPlan, options: RunOptions, own: ReadonlyMap<number, number>): Running {
  const image = compilePlan(plan, { architecture, inject: options.inject ?? [] });
  const descriptors = new Map(own);
  image.given.forEach((name, index) => {
    const fd = options.descriptors?.[name];
    if (fd === undefined)
      throw new EngineError(
        'invalid_argument',
        `Cannot launch plan: it names a descriptor "${name}" that was not given`,
      );
    descriptors.set(FIRST_GIVEN + index, fd);
  });
  const planFd = memfd('drydock-plan');
  try {
    writeAll(planFd, image.bytes);
    descriptors.set(FD.plan, planFd);
    return { pid: spawnLaunch(descriptors), image, planFd };
  } catch (error) {
    closeSync(planFd);
    throw error;
  }
}

function report({ image, planFd }: Running): PlanReport {
  const bytes = new Uint8Array(image.bytes.length);
  for (let at = 0; at < bytes.length;) {
    const count = readSync(planFd, bytes, at, bytes.length - at, at);
    if (count === 0) break;
    at += count;
  }
  return readReport(image, bytes);
}

/** Throws what ended the plan. */
function demandRan(outcome: PlanReport): void {
  if (outcome.failed) throw new PlanError(outcome.failed, outcome);
  if (!outcome.ran) throw new EngineError('internal', 'Cannot run launch plan: launch was killed or refused it');
}

/** Waits for a child that has closed everything and so is about to be a zombie, or is one. */
async function reap(pid: number): Promise<void> {
  const status: [number] = [0];
  for (;;) {
    const result = waitpid(pid, status, WNOHANG);
    if (result !== 0) return; // its pid; or ECHILD: libuv or nobody owes us an answer
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Kills what a plan's clone steps made and its first process still waits for: that one then sees a child fail, and ends. */
function killChildren(running: Running): void {
  const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8').split(' ').map(Number);
  for (const step of report(running).steps)
    if (step.call === 'clone3' && children.includes(step.result)) process.kill(step.result, 'SIGKILL');
}

/** Runs a plan without a keeper; see Kernel.run. */
export async function runPlan(plan: LaunchPlan, options: RunPlanOptions = {}): Promise<PlanReport> {
  if (keepStep(plan))
    throw new EngineError('invalid_argument', 'Cannot run plan: it keeps a process, which needs a directory');
  const ends: [number, number] = [0, 0];
  checked('pipe2', 'notify', pipe2(ends, O_CLOEXEC));
  const nothing = openSync('/dev/null', 'r+');
  const notify = new Notify(ends[0]);
  let running: Running;
  try {
    running = start(
      plan,
      options,
      new Map([
        [FD.notify, ends[1]],
        ...[FD.record, FD.output, FD.control, FD.input].map((to) => [to, nothing] as const),
      ]),
    );
  } catch (error) {
    notify.close();
    throw error;
  } finally {
    closeAll([ends[1], nothing]);
  }
  let timedOut = false;
  const guard = setTimeout(() => {
    timedOut = true;
    killChildren(running);
  }, options.timeoutMs ?? NO_TIMEOUT);
  if (options.timeoutMs === undefined) clearTimeout(guard);
  try {
    await notify.ended;
    await reap(running.pid);
    const outcome = report(running);
    if (timedOut) throw new SysError('run', 'ETIME', 'launch plan', `it took longer than ${options.timeoutMs} ms`);
    demandRan(outcome);
    return outcome;
  } finally {
    clearTimeout(guard);
    closeSync(running.planFd);
  }
}

/** Runs a plan that ends in `keep`; see Kernel.launch. */
export async function launchPlan(plan: LaunchPlan, options: LaunchOptions): Promise<Launched> {
  const keep = keepStep(plan);
  if (!keep) throw new EngineError('invalid_argument', 'Cannot launch plan: its first block does not end in keep');
  const { directory, outputPath } = options;
  const keeperEnd = makeKeeperFiles(directory, {
    ringBytes: keep.terminal === undefined ? 0 : (options.ringBytes ?? DEFAULT_RING_BYTES),
    limit: options.limitBytes === undefined ? NO_LIMIT : BigInt(options.limitBytes),
    cols: options.cols ?? 80,
    rows: options.rows ?? 24,
    outputPath,
  });
  let files: DaemonEnd | undefined;
  let running: Running;
  try {
    files = openDaemonEnd(directory, outputPath);
    const own = Object.entries(keeperEnd).map(([name, fd]) => [FD[name as keyof typeof keeperEnd], fd] as const);
    running = start(plan, options, new Map(own));
  } catch (error) {
    if (files) closeAll(Object.values(files));
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    closeAll(Object.values(keeperEnd));
  }
  const notify = new Notify(files.notify);
  const reaped = notify.ended.then(() => reap(running.pid));
  try {
    await settled(files, notify);
    const outcome = report(running);
    demandRan(outcome);
    const kept = new KeptProcess(directory, files, notify, reaped);
    return { report: outcome, slots: outcome.slots, rooms: outcome.rooms, kept };
  } catch (error) {
    await reaped;
    letGo(files, notify);
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    closeSync(running.planFd);
  }
}

/** Resolves when the plan has run, or failed: when the keeper says so, or ends. */
async function settled(files: DaemonEnd, notify: Notify): Promise<KeeperRecord> {
  for (;;) {
    const record = loadRecord(files.record);
    if (record.state !== 'starting' || notify.isEnded) return record;
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
    if (keeperLives(directory)) await settled(files, notify);
    else notify.close();
    const { state } = loadRecord(files.record);
    if (state !== 'starting' && state !== 'failed') return new KeptProcess(directory, files, notify, Promise.resolve());
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

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
