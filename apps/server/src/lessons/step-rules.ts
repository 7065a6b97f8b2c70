// What a step must keep beyond its schema: every name it uses exists, every check can be failed, help is three deep. Pure.
import { BLANK, type Step } from '@drydock/protocol/lesson.ts';
import type { Path } from './yaml-file.ts';

export interface Fault {
  path: Path;
  message: string;
}

const HINTS_DEEP = 3;

/** The faults of a step that its schema can't see. `files`: the names in its folder. */
export function stepFaults(step: Step, files: readonly string[]): Fault[] {
  return [
    ...idFaults(step),
    ...choiceFaults(step),
    ...commandFaults(step),
    ...hintFaults(step),
    ...wrongFaults(step, files),
  ];
}

function idFaults(step: Step): Fault[] {
  const lists = {
    checks: step.checks,
    hints: step.hints,
    commands: step.commands,
    'predict.options': step.predict.options,
    'explain.options': step.explain.options,
  };
  return Object.entries(lists).flatMap(([name, items]) =>
    items.flatMap(({ id }, index) =>
      items.findIndex((other) => other.id === id) < index
        ? [{ path: [...name.split('.'), index, 'id'], message: `"${id}" is there twice: ids differ within a list` }]
        : [],
    ),
  );
}

function choiceFaults(step: Step): Fault[] {
  const faults: Fault[] = [];
  for (const part of ['predict', 'explain'] as const) {
    const { answer, options } = step[part];
    const ids = options.map(({ id }) => id);
    if (!ids.includes(answer)) faults.push({ path: [part, 'answer'], message: notAmong(answer, 'options', ids) });
  }
  const { once } = step.predict.observe;
  if (!checkIds(step).includes(once))
    faults.push({ path: ['predict', 'observe', 'once'], message: notAmong(once, 'checks', checkIds(step)) });
  for (const language of ['en', 'zh'] as const)
    for (const name of ['{predicted}', '{observed}'])
      if (!step.predict.outcome[language].includes(name))
        faults.push({ path: ['predict', 'outcome', language], message: `does not say ${name}` });
  return faults;
}

function commandFaults(step: Step): Fault[] {
  return step.commands.flatMap(({ run, form, flags }, index) => {
    const faults: Fault[] = [];
    if (run.includes(BLANK) !== (form === 'blanks'))
      faults.push({
        path: ['commands', index, 'form'],
        message:
          form === 'blanks'
            ? `is "blanks", and the command has no ${BLANK}`
            : `must be "blanks": the command has a ${BLANK}`,
      });
    if (form === 'blanks' && !flags.some(({ flag }) => flag === BLANK))
      faults.push({ path: ['commands', index, 'flags'], message: `does not say what ${BLANK} stands for` });
    flags.forEach(({ flag }, at) => {
      if (!run.includes(flag))
        faults.push({
          path: ['commands', index, 'flags', at, 'flag'],
          message: `"${flag}" is not in the command "${run}"`,
        });
    });
    return faults;
  });
}

function hintFaults(step: Step): Fault[] {
  const faults: Fault[] = step.hints.flatMap(({ fits }, index) =>
    fits && !checkIds(step).includes(fits.unmet)
      ? [{ path: ['hints', index, 'fits', 'unmet'], message: notAmong(fits.unmet, 'checks', checkIds(step)) }]
      : [],
  );
  const ladder = step.hints.filter(({ fits }) => fits === undefined).length;
  if (ladder !== HINTS_DEEP)
    faults.push({
      path: ['hints'],
      message: `has ${ladder} hints without "fits": there must be exactly ${HINTS_DEEP}, from a nudge to nearly the solution`,
    });
  return faults;
}

function wrongFaults(step: Step, files: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  for (const [file, { fails, hint }] of Object.entries(step.wrong)) {
    if (!files.includes(file))
      faults.push({
        path: ['wrong', file],
        message: 'has no such file beside step.yaml: write it, or remove the entry',
      });
    if (!checkIds(step).includes(fails))
      faults.push({ path: ['wrong', file, 'fails'], message: notAmong(fails, 'checks', checkIds(step)) });
    const fitting = step.hints.filter(({ fits }) => fits).map(({ id }) => id);
    if (!fitting.includes(hint))
      faults.push({ path: ['wrong', file, 'hint'], message: notAmong(hint, 'hints with "fits"', fitting) });
  }
  for (const file of files)
    if (/^wrong-.*\.sh$/.test(file) && !(file in step.wrong))
      faults.push({
        path: ['wrong'],
        message: `has no entry for ${file}: say which check it fails and which hint it gets`,
      });
  step.checks.forEach(({ id }, index) => {
    if (!Object.values(step.wrong).some(({ fails }) => fails === id))
      faults.push({
        path: ['checks', index, 'id'],
        message: `no wrong attempt fails "${id}": a check that can't be failed proves nothing`,
      });
  });
  return faults;
}

const checkIds = (step: Step): string[] => step.checks.map(({ id }) => id);

const notAmong = (value: string, what: string, known: readonly string[]): string =>
  `"${value}" is not among the ${what}: ${known.length > 0 ? known.join(', ') : 'there are none'}`;
