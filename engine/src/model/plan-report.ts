// What came of a launch plan, read back from its bytes: each step's result, errno and time, in the order they were made;
// and its arguments as a person reads them. This list is what the X-ray view shows. Pure.
import { SysError } from './engine-error.ts';
import { errnoText } from './errno.ts';
import type { Step, Value } from './launch-plan.ts';
import { FAILED_AT, type PlanImage, RAN_AT } from './plan-image.ts';

const STATES = ['not reached', 'held', 'running', 'done', 'allowed', 'failed', 'skipped'] as const;

/** How far a step came. `allowed`: it failed, as it might; `held`: it waits for the permit of single stepping. */
export type StepState = (typeof STATES)[number];

/** One step, as it went. */
export interface StepReport {
  readonly block: string;
  readonly index: number;
  /** The system call; for other steps their kind: `clone3`, `open`, `await`, `wait`, `keep`, `init`. */
  readonly call: string;
  readonly args: readonly string[];
  /** As the plan gives it. */
  readonly purpose: string | null;
  readonly state: StepState;
  /** What the call returned; -1 when it failed. */
  readonly result: number;
  readonly errno: string | null;
  /** Nanoseconds from the plan's first step to the begin of this one; null when it was not reached. */
  readonly atNs: number | null;
  readonly ns: number;
}

export interface PlanReport {
  /** All that were reached by their begin, then the others as they stand in the plan. */
  readonly steps: readonly StepReport[];
  /** The step that ended the plan. */
  readonly failed: StepReport | null;
  /** When the first step began: CLOCK_MONOTONIC, nanoseconds. 0: none did. */
  readonly beganNs: bigint;
  /** Every process made its last step. */
  readonly ran: boolean;
  readonly slots: ReadonlyMap<string, number>;
  readonly rooms: ReadonlyMap<string, Uint8Array>;
}

/** A step of a plan failed (SysError), with the whole report. */
export class PlanError extends SysError {
  readonly step: StepReport;
  readonly report: PlanReport;
  constructor(step: StepReport, report: PlanReport) {
    super(step.call, step.errno ?? 'no result', targetOf(step), `step ${step.index} of block "${step.block}"`);
    this.name = 'PlanError';
    this.step = step;
    this.report = report;
  }
}

/** What a step was about: the path or name it was given; without one, its arguments. */
function targetOf({ call, args, block }: StepReport): string {
  const target = call === 'mount' ? args[1] : args.find((printed) => printed.startsWith('"'));
  if (target?.startsWith('"')) return JSON.parse(target) as string;
  return args.length > 0 ? args.join(', ') : block;
}

/**
 * `bytes`: the plan's memory as it is now; they must not change later. The steps are read when somebody asks for them: a
 * container has two hundred, and most of the time nobody looks.
 */
export function readReport(image: PlanImage, bytes: Uint8Array): PlanReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots = new Map<string, number>();
  for (const [name, at] of image.slots)
    if (view.getUint32(at + 8, true) !== 0) slots.set(name, Number(view.getBigInt64(at, true)));
  const begins = image.steps.map(({ rowAt }) => view.getBigUint64(rowAt + 16, true));
  const first = begins.reduce((least, one) => (one !== 0n && (least === 0n || one < least) ? one : least), 0n);
  const reportOf = ({ place, step, rowAt }: PlanImage['steps'][number], position: number): StepReport => {
    const begin = begins[position] ?? 0n;
    const errno = view.getUint32(rowAt + 8, true);
    return {
      ...place,
      call: callName(step),
      args: printArguments(step, slots),
      purpose: (step.kind === 'call' ? step.purpose : undefined) ?? null,
      state: STATES[view.getUint32(rowAt + 12, true)] ?? 'not reached',
      result: errno === 0 ? Number(view.getBigInt64(rowAt, true)) : -1,
      errno: errno === 0 ? null : errnoText(errno),
      atNs: begin === 0n ? null : Number(begin - first),
      ns: Number(view.getBigUint64(rowAt + 24, true)),
    };
  };
  const failedAt = view.getUint32(FAILED_AT, true) - 1;
  const failed = image.steps[failedAt];
  let steps: readonly StepReport[] | undefined;
  return {
    get steps() {
      steps ??= image.steps.map(reportOf).sort((a, b) => (a.atNs ?? Infinity) - (b.atNs ?? Infinity) || 0);
      return steps;
    },
    failed: failed === undefined ? null : reportOf(failed, failedAt),
    beganNs: first,
    ran: view.getUint32(RAN_AT, true) === 1,
    slots,
    rooms: new Map([...image.rooms].map(([name, { at, size }]) => [name, bytes.slice(at, at + size)])),
  };
}

/** The system call a step makes, or its kind. */
export function callName(step: Step): string {
  if (step.kind === 'call') return step.call;
  return step.kind === 'clone' ? 'clone3' : step.kind;
}

/** The arguments of a step, as a person reads them. */
export function printArguments(step: Step, slots: ReadonlyMap<string, number> = new Map()): string[] {
  switch (step.kind) {
    case 'call':
      return step.args.map((value) => printValue(value, slots));
    case 'clone':
      return [`flags 0x${BigInt.asUintN(64, step.flags).toString(16)}`, `the child runs ${step.child}`];
    case 'open':
    case 'await':
      return [step.gate];
    case 'wait':
    case 'keep':
      return [printValue(step.pid, slots)];
    default:
      return step.main === undefined ? [] : [printValue(step.main, slots)];
  }
}

const PRINTED_CHARACTERS = 200;

/** A value as strace would print it; slots with what is in them, where that is known. */
export function printValue(value: Value, slots: ReadonlyMap<string, number> = new Map()): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return quote(value);
  if ('slot' in value) return String(slots.get(value.slot) ?? `<${value.slot}>`);
  if ('given' in value) return `<${value.given}>`;
  if ('bytes' in value) return printBytes(value.bytes);
  if ('strings' in value) return `[${value.strings.map(quote).join(', ')}]`;
  if ('text' in value)
    return quote(value.text.map((part) => (typeof part === 'string' ? part : printValue(part, slots))).join(''));
  if ('word' in value) return `<${value.word}[${value.at}]>`;
  if ('decimal' in value) return `<${value.decimal}>`;
  if ('room' in value) return `room for ${value.room} bytes`;
  const patches = value.patches.map((patch) => printValue(patch.value, slots));
  return `{${[`${value.struct.length} bytes`, ...patches].join(', ')}}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as the text they are, or how many there are. A NUL at the end is C's. */
export function printBytes(bytes: Uint8Array): string {
  const text = bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
  try {
    const decoded = utf8.decode(text);
    if (text.length > 0 && !/\p{Cc}/u.test(decoded.replaceAll(/[\t\n]/g, ''))) return quote(decoded);
  } catch {
    // no UTF-8: a structure
  }
  return `<${bytes.length} bytes>`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > PRINTED_CHARACTERS ? `${text.slice(0, PRINTED_CHARACTERS)}…` : text);
}
