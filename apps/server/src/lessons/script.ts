// The little language of solution.sh and wrong-*.sh: shell lines that a person would type, one after the other.
//   # terminal: 2     the lines that follow are typed in the lab's second terminal (opened when it is first named)
//   # wait: prompt    after each line: until the shell asks for the next one (this is so from the start)
//   # wait: nothing   after each line: not at all; for a line that keeps the terminal, until `# wait: prompt`
//   # wait: check ID  now, once: until the check ID of the step is met
// Every other line that begins with # is for the reader and is not typed.
import type { Problem } from './problem.ts';

export type ScriptLine =
  | { kind: 'type'; terminal: number; text: string; wait: 'prompt' | 'nothing'; line: number }
  | { kind: 'wait'; check: string; line: number };

export interface Script {
  lines: ScriptLine[];
  /** As a learner may see it: without the directives. */
  text: string;
  problems: Problem[];
}

const MAX_TERMINAL = 4;
const DIRECTIVE = /^#\s*(terminal|wait)\s*:\s*(.*?)\s*$/;

/** Reads a script. `checks`: the ids a `# wait: check` may name. */
export function readScript(file: string, text: string, checks: ReadonlySet<string>): Script {
  const lines: ScriptLine[] = [];
  const shown: string[] = [];
  const problems: Problem[] = [];
  let terminal = 1;
  let wait: 'prompt' | 'nothing' = 'prompt';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const fault = (message: string): void => void problems.push({ file, line, field: null, message });
    const directive = DIRECTIVE.exec(raw);
    if (directive?.[1] === 'terminal') {
      const number = Number(directive[2]);
      if (Number.isInteger(number) && number >= 1 && number <= MAX_TERMINAL) {
        terminal = number;
        shown.push(`# terminal ${number}`);
      } else fault(`"# terminal:" takes a number from 1 to ${MAX_TERMINAL}, not ${JSON.stringify(directive[2])}`);
    } else if (directive) {
      const value = directive[2] ?? '';
      const check = /^check\s+(\S+)$/.exec(value)?.[1];
      if (value === 'prompt' || value === 'nothing') wait = value;
      else if (check !== undefined && checks.has(check)) lines.push({ kind: 'wait', check, line });
      else if (check !== undefined)
        fault(`"# wait: check" names ${JSON.stringify(check)}, and the step has no such check`);
      else fault(`"# wait:" takes "prompt", "nothing" or "check ID", not ${JSON.stringify(value)}`);
    } else if (line === 1 && raw.startsWith('#!')) {
      fault('is typed line by line, not run: remove the #! line');
    } else {
      shown.push(raw);
      if (raw.trim() !== '' && !raw.trimStart().startsWith('#'))
        lines.push({ kind: 'type', terminal, text: raw, wait, line });
    }
  }
  if (!lines.some(({ kind }) => kind === 'type'))
    problems.push({ file, line: null, field: null, message: 'types nothing' });
  return { lines, text: `${shown.join('\n').trim()}\n`, problems };
}
