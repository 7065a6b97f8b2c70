// Finds what is wrong with a launch plan before anything is made: every mistake is a sentence naming block and step. Pure.
import { EngineError } from './engine-error.ts';
import type { CallStep, LaunchPlan, Step } from './launch-plan.ts';

/** CLONE_VM, SIGHAND, VFORK, THREAD, SETTLS: they share memory or stop the parent; a process of a plan is on its own. */
const SHARING_FLAGS = 0x100n | 0x800n | 0x4000n | 0x1_0000n | 0x8_0000n;
const CLOSE_RANGE_CLOEXEC = 4;
const MAX_ARGS = 6;

/** Throws EngineError invalid_argument for a plan that could not be run, could not end, or would leak descriptors. */
export function checkPlan(plan: LaunchPlan): void {
  if (plan.blocks[plan.start] === undefined)
    throw new EngineError('invalid_argument', `Cannot compile plan: there is no block "${plan.start}" to start with`);
  const runBy = new Map([[plan.start, 'the keeper']]);
  const opened = new Set<string>();
  for (const step of Object.values(plan.blocks).flat()) if (step.kind === 'open') opened.add(step.gate);
  for (const [block, steps] of Object.entries(plan.blocks)) {
    steps.forEach((step, index) => {
      const refuse = (reason: string): never => {
        throw new EngineError('invalid_argument', `Cannot compile step ${index} of block "${block}": ${reason}`);
      };
      const isLast = index === steps.length - 1;
      if (step.kind === 'clone') {
        if (plan.blocks[step.child] === undefined) refuse(`there is no block "${step.child}"`);
        const other = runBy.get(step.child);
        // One process a block: its results have one place each.
        if (other !== undefined) refuse(`the block "${step.child}" is run by ${other} already`);
        runBy.set(step.child, `a clone in block "${block}"`);
        if (BigInt.asUintN(64, step.flags) & SHARING_FLAGS)
          refuse('a process of a plan can’t share memory with another');
      }
      if (step.kind === 'await' && !opened.has(step.gate)) refuse(`no step opens the gate "${step.gate}"`);
      if (step.kind === 'keep' && (block !== plan.start || !isLast)) refuse('keep is the last step of the first block');
      if (step.kind === 'init' && (block === plan.start || !isLast)) refuse('init is the last step of a cloned block');
      if (step.kind === 'call') {
        if (step.args.length > MAX_ARGS) refuse(`a system call has at most ${MAX_ARGS} arguments`);
        if (isExec(step) && !steps.slice(0, index).some(closesOnExec))
          refuse('descriptors would leak through it: first close_range(3, 0xffffffff, CLOSE_RANGE_CLOEXEC)');
      }
    });
  }
  const idle = Object.keys(plan.blocks).find((block) => !runBy.has(block));
  if (idle !== undefined)
    throw new EngineError('invalid_argument', `Cannot compile plan: no process runs the block "${idle}"`);
}

/** Does the plan end in a keeper? Its `keep` step, or undefined. */
export function keepStep(plan: LaunchPlan): (Step & { kind: 'keep' }) | undefined {
  const last = plan.blocks[plan.start]?.at(-1);
  return last?.kind === 'keep' ? last : undefined;
}

function isExec(step: CallStep): boolean {
  return step.call === 'execve' || step.call === 'execveat';
}

function closesOnExec(step: Step): boolean {
  if (step.kind !== 'call' || step.call !== 'close_range') return false;
  const [first, last, flags] = step.args;
  return first === 3 && Number(last) === 0xffff_ffff && Number(flags) === CLOSE_RANGE_CLOEXEC;
}
