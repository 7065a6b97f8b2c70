// What podman's API tests print, "ok 12 [20-containers] GET … : status=200", as results with ids that stay the same from run to run. Pure.
import type { TestResult } from './result.ts';

const LINE = /^(ok|not ok) \d+ \[([^\]]+)\] (.*)$/;
/** Ids, random names, ports and times: different in each run. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\b[0-9a-f]{12}\b/g, 'ID'],
  [/\/\S*tmp\.[A-Za-z0-9]+/g, 'TMP'],
  [/\b(?:localhost|127\.0\.0\.1):\d{4,5}\b/g, 'HOST'],
  [/(TestingCtr|Hello_)[A-Za-z0-9]+/g, '$1NAME'],
  [/\(\d+ seconds\)/g, '(TIME)'],
  [/\b\d{10}(?:\.\d+)?\b/g, 'TIME'],
  [/\b\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?/g, 'TIME'],
];

const settled = (text: string): string =>
  VOLATILE.reduce((done, [pattern, word]) => done.replace(pattern, word), text.trim());

/** A passed line has what it expected in it, a failed one has it in the next line: both get the id of the passed one. */
export function tapResults(suite: string, text: string): TestResult[] {
  const seen = new Map<string, number>();
  const lines = text.split('\n');
  return lines.flatMap((line, index): TestResult[] => {
    const [, verdict, file = '', name = ''] = LINE.exec(line) ?? [];
    if (verdict === undefined) return [];
    const expected = /^# {2}expected: (.*)$/.exec(lines[index + 1] ?? '')?.[1];
    const actual = /^# {4}actual: (.*)$/.exec(lines[index + 2] ?? '')?.[1];
    const skipped = name.includes('# skip');
    const base = settled(`[${file}] ${verdict === 'ok' ? passedName(name) : failedName(name, expected)}`);
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    const id = count === 1 ? base : `${base} #${count}`;
    if (verdict === 'ok') return [{ suite, file, id, outcome: skipped ? 'skipped' : 'passed' }];
    return [{ suite, file, id, outcome: 'failed', detail: `expected ${expected ?? '?'}, got ${actual ?? '?'}` }];
  });
}

/** `NAME ('what it was') ~ PATTERN` without what it was; a skipped one without its reason. */
function passedName(name: string): string {
  return name.replace(/ \('.*'\) ~ /, ' ~ ').replace(/ # skip.*$/, '');
}

function failedName(name: string, expected = ''): string {
  if (expected.startsWith('~ ')) return `${name} ${expected}`;
  if (expected.startsWith('!= ')) return `${name}!=`;
  return `${name}=${expected}`;
}
