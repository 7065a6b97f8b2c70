// The steps of a launch plan, noted as touches of the kernel (trace.ts) once it has run, or failed.
import type { PlanReport, StepReport } from '../model/plan-report.ts';
import { tracer } from './trace.ts';

const GATES = ['open', 'await', 'wait', 'keep', 'init'];
const MADE = ['done', 'allowed', 'failed', 'running'];

/** Whether a step is a system call that is named so, or one of the plan's own kinds (`open` is both: a gate has one name). */
const isGate = ({ call, args }: StepReport) => GATES.includes(call) && args.length < 2;

export function noteSteps(report: PlanReport): void {
  const sink = tracer();
  if (sink === undefined) return;
  // Read only now: `steps` prints two hundred calls when it is asked for.
  const { steps, beganNs } = report;
  for (const step of steps) {
    if (!MADE.includes(step.state)) continue;
    sink({
      kind: isGate(step) ? 'gate' : 'call',
      by: step.block,
      name: step.call,
      args: step.args,
      result: step.state === 'running' ? null : step.result,
      errno: step.errno,
      beganNs: beganNs + BigInt(step.atNs ?? 0),
      ns: step.ns,
    });
  }
}
