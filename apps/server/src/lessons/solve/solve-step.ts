// Proves a step in a real sandbox: nothing is met at its start, every solution meets all, and every wrong attempt fails
// just the check it is meant to fail, gets its hint, and leaves the step solvable.
import type { Verdict } from '@drydock/protocol/verdict.ts';
import type { EngineClient } from '../../engine-client/engine-client.ts';
import type { Script } from '../script.ts';
import type { LoadedStep } from '../step-folder.ts';
import { Attempt, SETTLE_TIMEOUT_MS } from './attempt.ts';

export interface WrongReport {
  file: string;
  /** Checks that were not met in the end. */
  stayedRed: string[];
  hint: string | null;
  expectedHint: string;
  /** After a reset of the step, the solution solved it. */
  thenSolved: boolean;
}

export interface StepReport {
  id: string;
  /** "sandbox on hybrid": what it ran in, and the host's control groups. */
  where: string;
  solved: boolean;
  /** Checks that were met before anything was typed: there must be none. */
  greenBefore: string[];
  wrong: WrongReport[];
  /** Every solution-*.sh solved the step as well; true when there is no other. */
  otherSolutionsGreen: boolean;
  /** Sentences on what did not go as it must; empty when the step is proved. Not part of the JSON. */
  faults: string[];
}

/** `note` is told what is being typed. Throws when the engine or a terminal fails. */
export async function solveStep(
  engine: EngineClient,
  sandbox: string,
  loaded: LoadedStep,
  note: (text: string) => void,
  settleTimeoutMs = SETTLE_TIMEOUT_MS,
): Promise<StepReport> {
  const { cgroup } = await engine.get(sandbox);
  const report: StepReport = {
    id: loaded.id,
    where: `sandbox on ${cgroup}`,
    solved: false,
    greenBefore: [],
    wrong: [],
    otherSolutionsGreen: true,
    faults: [],
  };
  const fresh = async (work: (attempt: Attempt) => Promise<void>): Promise<void> => {
    await engine.act(sandbox, 'reset');
    const attempt = new Attempt(engine, sandbox, loaded, settleTimeoutMs);
    try {
      await attempt.begin();
      const green = attempt
        .verdict()
        .checks.filter(({ state }) => state === 'met')
        .map(({ id }) => id);
      report.greenBefore = [...new Set([...report.greenBefore, ...green])];
      await work(attempt);
    } finally {
      await attempt.end();
    }
  };

  const solves = async (attempt: Attempt, script: Script, name: string): Promise<boolean> => {
    note(`${loaded.id}: ${name}`);
    await attempt.play(script);
    const solved = await attempt.settles((verdict) => verdict.solved);
    if (!solved) report.faults.push(`${loaded.id}: ${name} does not solve the step: ${describe(attempt.verdict())}`);
    return solved;
  };

  await fresh(async (attempt) => {
    report.solved = await solves(attempt, loaded.solution, 'solution.sh');
  });
  for (const [name, script] of loaded.others)
    await fresh(async (attempt) => {
      if (!(await solves(attempt, script, name))) report.otherSolutionsGreen = false;
    });
  for (const [file, script] of loaded.wrong)
    await fresh(async (attempt) => {
      const { fails, hint } = loaded.step.wrong[file] ?? { fails: '', hint: '' };
      note(`${loaded.id}: ${file}`);
      await attempt.play(script);
      const asMeant = await attempt.settles((verdict) => redChecks(verdict).join() === fails && verdict.hint === hint);
      const verdict = attempt.verdict();
      if (!asMeant)
        report.faults.push(
          `${loaded.id}: ${file} must fail "${fails}" alone and get the hint "${hint}": ${describe(verdict)}`,
        );
      if (attempt.wasSolved) report.faults.push(`${loaded.id}: ${file} solved the step for a moment`);
      await attempt.begin();
      const thenSolved = await solves(attempt, loaded.solution, `solution.sh after ${file}`);
      report.wrong.push({ file, stayedRed: redChecks(verdict), hint: verdict.hint, expectedHint: hint, thenSolved });
    });
  if (report.greenBefore.length > 0)
    report.faults.push(`${loaded.id}: met before anything was typed: ${report.greenBefore.join(', ')}`);
  return report;
}

const redChecks = ({ checks }: Verdict): string[] => checks.filter(({ state }) => state !== 'met').map(({ id }) => id);

function describe({ checks, hint, subject }: Verdict): string {
  const said = checks.map(({ id, state, observed }) => `${id} ${state}${observed === null ? '' : ` (${observed})`}`);
  return `${said.join('; ')}; hint ${hint ?? 'none'}; subject ${subject ?? 'none'}`;
}
