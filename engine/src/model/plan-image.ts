// Lays a launch plan out as the bytes that engine/native/launch.c runs (native/plan.h has the same shapes), and reads
// back what came of it. Pure: no descriptor and no address is known here, only places to be filled in at run time.
import { EngineError } from './engine-error.ts';
import { errnoNumber } from './errno.ts';
import type { CloneStep, LaunchPlan, Step, Value } from './launch-plan.ts';
import { checkPlan } from './plan-check.ts';
import { type Architecture, SYSCALL_TABLE } from './syscall-table.ts';

const MAGIC = 0x5059_5244;
const VERSION = 1;
const HEADER_BYTES = 80;
const BLOCK_BYTES = 8;
const STEP_BYTES = 80;
const ROW_BYTES = 40;
const SLOT_BYTES = 16;
const FIX_BYTES = 16;
const CLONE_ARGS_BYTES = 88;
/** Where the header keeps what changes while the plan runs. */
export const CHANGES_AT = 64;
export const FAILED_AT = 68;
export const RAN_AT = 72;
/** Where a row keeps the permit of single stepping. */
const PERMIT_IN_ROW = 32;
/** Descriptors named in the plan begin here in `launch`; those below are its own (native/plan.h). */
export const FIRST_GIVEN = 10;
const MAX_BYTES = 16 * 2 ** 20;
const ANY_ERROR = 0xffff_ffff;
const SIGCHLD = 17n;
const CLONE_PIDFD = 0x1000n;
const CLONE_PARENT = 0x8000n;
const CLONE_PARENT_SETTID = 0x10_0000n;
const CLONE_INTO_CGROUP = 0x2_0000_0000n;

const KIND = { call: 1, clone: 2, open: 3, await: 4, wait: 5, keep: 6, init: 7 } as const;
const FIX = { address: 1, slot4: 2, slot8: 3, text: 4, append: 5, appendSlot: 6, word: 7, decimal: 8 } as const;
/** Which step: the n-th of a block. */
export interface StepPlace {
  readonly block: string;
  readonly index: number;
}

export interface CompileOptions {
  readonly architecture: Architecture;
  /** Steps that fail with an errno instead of being made: for tests of what happens then. */
  readonly inject?: readonly (StepPlace & { readonly errno: string })[];
  /** Every step waits for a permit (single stepping). */
  readonly stepping?: boolean;
}

/** The bytes, and where in them everything is. */
export interface PlanImage {
  readonly bytes: Uint8Array;
  /** Names of the descriptors to hand over, in the order of their numbers from FIRST_GIVEN on. */
  readonly given: readonly string[];
  readonly steps: readonly { readonly place: StepPlace; readonly step: Step; readonly rowAt: number }[];
  readonly slots: ReadonlyMap<string, number>;
  readonly gates: ReadonlyMap<string, number>;
  readonly rooms: ReadonlyMap<string, { readonly at: number; readonly size: number }>;
}

/** Throws EngineError invalid_argument naming block, step and reason when the plan can't be run as it is. */
export function compilePlan(plan: LaunchPlan, options: CompileOptions): PlanImage {
  checkPlan(plan);
  return new Compiler(plan, options).image();
}

/** Where the permit of a step is, for single stepping. */
export function permitAt(image: PlanImage, place: StepPlace): number {
  const found = image.steps.find((one) => one.place.block === place.block && one.place.index === place.index);
  if (!found) throw new RangeError(`Cannot permit step ${place.index} of block "${place.block}": there is none`);
  return found.rowAt + PERMIT_IN_ROW;
}

class Compiler {
  readonly #plan: LaunchPlan;
  readonly #options: CompileOptions;
  readonly #steps: { place: StepPlace; step: Step; at: number; rowAt: number }[] = [];
  readonly #blocks = new Map<string, { number: number; first: number; count: number }>();
  readonly #slots = new Map<string, number>();
  readonly #gates = new Map<string, number>();
  readonly #rooms = new Map<string, { at: number; size: number }>();
  readonly #given = new Map<string, number>();
  readonly #texts = new Map<string, number>();
  readonly #fixes: { kind: number; at: number; what: number; room: number }[] = [];
  #bytes: Uint8Array;
  #view: DataView;
  #used: number;
  #at: StepPlace = { block: '', index: 0 };

  constructor(plan: LaunchPlan, options: CompileOptions) {
    this.#plan = plan;
    this.#options = options;
    for (const [block, steps] of Object.entries(plan.blocks)) {
      this.#blocks.set(block, { number: this.#blocks.size, first: this.#steps.length, count: steps.length });
      steps.forEach((step, index) => this.#steps.push({ place: { block, index }, step, at: 0, rowAt: 0 }));
      for (const step of steps) {
        if ('save' in step && step.save !== undefined) number(this.#slots, step.save);
        if (step.kind === 'clone' && step.savePidfd !== undefined) number(this.#slots, step.savePidfd);
        if (step.kind === 'open' || step.kind === 'await') number(this.#gates, step.gate);
      }
    }
    const stepsAt = HEADER_BYTES + this.#blocks.size * BLOCK_BYTES;
    const rowsAt = stepsAt + this.#steps.length * STEP_BYTES;
    this.#steps.forEach((one, index) => {
      one.at = stepsAt + index * STEP_BYTES;
      one.rowAt = rowsAt + index * ROW_BYTES;
    });
    this.#used = this.#gatesAt() + Math.ceil(this.#gates.size / 2) * 8;
    this.#bytes = new Uint8Array(Math.max(8192, this.#used * 2));
    this.#view = new DataView(this.#bytes.buffer);
  }

  image(): PlanImage {
    for (const { place, step, at } of this.#steps) {
      this.#at = place;
      this.#layStep(step, at);
    }
    const fixesAt = this.#take(this.#fixes.length * FIX_BYTES + 8, 8);
    this.#fixes.forEach((fix, index) =>
      this.#words(fixesAt + index * FIX_BYTES, [fix.kind, fix.at, fix.what, fix.room]),
    );
    let blockAt = HEADER_BYTES;
    for (const { first, count } of this.#blocks.values()) {
      this.#words(blockAt, [first, count]);
      blockAt += BLOCK_BYTES;
    }
    const size = Math.ceil(this.#used / 4096) * 4096;
    if (size > MAX_BYTES) this.#refuse(`the plan is ${size} bytes long, more than ${MAX_BYTES}`);
    this.#grow(size);
    this.#layHeader(size, fixesAt);
    return {
      bytes: this.#bytes.slice(0, size),
      given: [...this.#given.keys()],
      steps: this.#steps.map(({ place, step, rowAt }) => ({ place, step, rowAt })),
      slots: new Map([...this.#slots].map(([name, index]) => [name, this.#slotAt(index)])),
      gates: new Map([...this.#gates].map(([name, index]) => [name, this.#gatesAt() + index * 4])),
      rooms: this.#rooms,
    };
  }

  #layHeader(size: number, fixesAt: number): void {
    const count = this.#steps.length;
    const stepsAt = HEADER_BYTES + this.#blocks.size * BLOCK_BYTES;
    this.#words(0, [MAGIC, VERSION, size, this.#given.size]);
    this.#words(16, [HEADER_BYTES, this.#blocks.size, stepsAt, count]);
    this.#words(32, [fixesAt, this.#fixes.length, this.#slotAt(0), this.#slots.size]);
    this.#words(48, [this.#gatesAt(), this.#gates.size, stepsAt + count * STEP_BYTES, this.#block(this.#plan.start)]);
    this.#words(64, [0, 0, 0, this.#options.stepping === true ? 1 : 0]);
  }

  #layStep(step: Step, at: number): void {
    const firstFix = this.#fixes.length;
    const args = at + 32;
    let operand = 0;
    let save = 0;
    let allowed: readonly number[] | typeof ANY_ERROR = [];
    switch (step.kind) {
      case 'call':
        operand = this.#syscall(step.call);
        step.args.forEach((value, index) => this.#place(value, args + index * 8));
        if (step.save !== undefined) save = this.#slot(step.save) + 1;
        if (step.mayFail === true) allowed = ANY_ERROR;
        else if (step.mayFail) allowed = step.mayFail.map((name) => this.#errno(name));
        break;
      case 'clone':
        operand = this.#block(step.child);
        save = this.#slot(step.save) + 1;
        this.#address(args, this.#cloneArgs(step, at), 8);
        this.#place(CLONE_ARGS_BYTES, args + 8);
        if (step.savePidfd !== undefined) this.#place(this.#slot(step.savePidfd) + 1, args + 16);
        break;
      case 'open':
      case 'await':
        operand = this.#gates.get(step.gate) ?? 0;
        break;
      case 'wait':
        this.#place(step.pid, args);
        break;
      case 'keep':
        [step.pid, step.terminal ?? -1, step.stdin ?? -1, step.stdout ?? -1, step.stderr ?? -1].forEach(
          (value, index) => this.#place(value, args + index * 8),
        );
        break;
      case 'init':
        if (step.main !== undefined) this.#place(step.main, args);
        break;
    }
    const list = typeof allowed === 'number' ? [] : allowed;
    const allowedAt = this.#take(list.length * 4, 8);
    this.#words(allowedAt, list);
    const { block, index } = this.#at;
    const injected = this.#options.inject?.find((one) => one.block === block && one.index === index);
    const inject = injected ? this.#errno(injected.errno) : 0;
    this.#words(at, [KIND[step.kind], operand, firstFix, this.#fixes.length - firstFix]);
    this.#words(at + 16, [save, inject, allowedAt, typeof allowed === 'number' ? allowed : list.length]);
  }

  /** struct clone_args. The pid is written into this step's row by the kernel itself, before the child runs: clone_step(). */
  #cloneArgs(step: CloneStep, at: number): number {
    const bytes = new Uint8Array(CLONE_ARGS_BYTES);
    const view = new DataView(bytes.buffer);
    const pidfd = step.savePidfd === undefined ? 0n : CLONE_PIDFD;
    const cgroup = step.cgroup === undefined ? 0n : CLONE_INTO_CGROUP;
    const flags = BigInt.asUintN(64, step.flags) | pidfd | cgroup | CLONE_PARENT_SETTID;
    view.setBigUint64(0, flags, true);
    // With CLONE_PARENT the kernel copies the caller's own exit signal and insists on 0 here (clone(2), EINVAL).
    view.setBigUint64(32, flags & CLONE_PARENT ? 0n : SIGCHLD, true);
    const base = this.#copy(bytes, 8);
    const row = this.#steps.find((one) => one.at === at)?.rowAt ?? 0;
    this.#fix(FIX.address, base + 24, row);
    if (step.savePidfd !== undefined) this.#fix(FIX.address, base + 8, this.#slotAt(this.#slot(step.savePidfd)));
    if (step.cgroup !== undefined) this.#place(step.cgroup, base + 80);
    return base;
  }

  /** Lays a value into eight (or four) bytes, or notes what has to be filled in there when the step runs. */
  #place(value: Value, at: number, size: 4 | 8 = 8): void {
    if (value === null) return;
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (size === 8) this.#view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true);
      else this.#view.setInt32(at, Number(BigInt.asIntN(32, BigInt(value))), true);
    } else if (typeof value === 'string') this.#address(at, this.#text(value), size);
    else if ('slot' in value) this.#fix(size === 8 ? FIX.slot8 : FIX.slot4, at, this.#slot(value.slot));
    else if ('given' in value) this.#place(FIRST_GIVEN + number(this.#given, value.given), at, size);
    else if ('bytes' in value) this.#address(at, this.#copy(value.bytes, 8), size);
    else if ('strings' in value) this.#address(at, this.#vector(value.strings), size);
    else if ('text' in value) this.#address(at, this.#assembled(value.text), size);
    else if ('word' in value) this.#word(value, at, size);
    else if ('decimal' in value) this.#decimal(value.decimal, at, size);
    else if ('room' in value) this.#address(at, this.#room(value), size);
    else {
      const base = this.#copy(value.struct, 8);
      for (const patch of value.patches) this.#place(patch.value, base + patch.at, patch.size ?? 8);
      this.#address(at, base, size);
    }
  }

  #address(at: number, what: number, size: 4 | 8): void {
    if (size !== 8) this.#refuse('an address does not fit into 4 bytes');
    this.#fix(FIX.address, at, what);
  }

  #text(value: string): number {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    if (value.includes('\0')) this.#refuse(`${JSON.stringify(value)} has a NUL in it`);
    const at = this.#copy(new TextEncoder().encode(`${value}\0`), 1);
    this.#texts.set(value, at);
    return at;
  }

  #vector(strings: readonly string[]): number {
    const at = this.#take((strings.length + 1) * 8, 8);
    strings.forEach((one, index) => this.#fix(FIX.address, at + index * 8, this.#text(one)));
    return at;
  }

  #assembled(parts: readonly (string | { readonly slot: string })[]): number {
    const lengths = parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part).length : 20));
    const room = lengths.reduce((sum, one) => sum + one, 1);
    const at = this.#take(room, 8);
    this.#fix(FIX.text, at, 0, room);
    for (const part of parts) {
      if (typeof part === 'string') this.#fix(FIX.append, at, this.#text(part));
      else this.#fix(FIX.appendSlot, at, this.#slot(part.slot));
    }
    return at;
  }

  #room(value: { readonly room: number; readonly name?: string }): number {
    const at = this.#take(value.room, 16);
    if (value.name !== undefined) this.#rooms.set(value.name, { at, size: value.room });
    return at;
  }

  #word(value: { readonly word: string; readonly at: number }, at: number, size: 4 | 8): void {
    const room = this.#rooms.get(value.word);
    if (room === undefined) this.#refuse(`no earlier step has a room "${value.word}"`);
    if (value.at < 0 || value.at + 4 > room.size) this.#refuse(`the room "${value.word}" has no word at ${value.at}`);
    if (size !== 8) this.#refuse('a word fills 8 bytes');
    this.#fix(FIX.word, at, room.at + value.at);
  }

  #decimal(name: string, at: number, size: 4 | 8): void {
    const room = this.#rooms.get(name);
    if (room === undefined) this.#refuse(`no earlier step has a room "${name}"`);
    if (size !== 8) this.#refuse('a number fills 8 bytes');
    this.#fix(FIX.decimal, at, room.at);
  }

  #fix(kind: number, at: number, what: number, room = 0): void {
    this.#fixes.push({ kind, at, what, room });
  }

  #copy(bytes: Uint8Array, align: number): number {
    const at = this.#take(bytes.length, align);
    this.#bytes.set(bytes, at);
    return at;
  }

  #take(size: number, align: number): number {
    const at = Math.ceil(this.#used / align) * align;
    this.#used = at + size;
    if (this.#used > MAX_BYTES) this.#refuse(`the plan is longer than ${MAX_BYTES} bytes`);
    this.#grow(this.#used);
    return at;
  }

  #grow(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #words(at: number, words: readonly number[]): void {
    words.forEach((word, index) => this.#view.setUint32(at + index * 4, word, true));
  }

  #slotAt(index: number): number {
    return (
      HEADER_BYTES +
      this.#blocks.size * BLOCK_BYTES +
      this.#steps.length * (STEP_BYTES + ROW_BYTES) +
      index * SLOT_BYTES
    );
  }

  #gatesAt(): number {
    return this.#slotAt(this.#slots.size);
  }

  #slot(name: string): number {
    return this.#slots.get(name) ?? this.#refuse(`no step saves the slot "${name}"`);
  }

  #block(name: string): number {
    return this.#blocks.get(name)?.number ?? this.#refuse(`there is no block "${name}"`);
  }

  #errno(name: string): number {
    return errnoNumber(name) ?? this.#refuse(`there is no errno "${name}"`);
  }

  #syscall(name: string): number {
    const table: Readonly<Partial<Record<string, number>>> = SYSCALL_TABLE[this.#options.architecture];
    return table[name] ?? this.#refuse(`${this.#options.architecture} has no system call "${name}"`);
  }

  #refuse(reason: string): never {
    const { block, index } = this.#at;
    throw new EngineError('invalid_argument', `Cannot compile step ${index} of block "${block}": ${reason}`);
  }
}

/** The number of a name, in order of first use. */
function number(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}
