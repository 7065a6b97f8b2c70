// The `filters` of Docker's lists, prunes and events: {"label":{"a=b":true}} (as moby's clients write it) or
// {"label":["a=b"]} (as others do). Values of one key are alternatives; keys are all to hold. Pure.
import { EngineError } from '../../model/engine-error.ts';

export type Filters = ReadonlyMap<string, readonly string[]>;

function valuesOf(key: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value)
      .filter(([, wanted]) => wanted !== false)
      .map(([one]) => one);
  throw new EngineError('invalid_argument', `invalid filter '${key}': its values are a list or an object of strings`);
}

/** Reads the query's `filters`; absent is no filter. Throws invalid_argument for garbage, and for a key that is not `known`. */
export function parseFilters(text: string | undefined, known: readonly string[]): Filters {
  if (text === undefined || text === '') return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new EngineError('invalid_argument', `invalid filter: ${text.slice(0, 100)} is not JSON`, { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new EngineError('invalid_argument', 'invalid filter: it is an object of lists');
  const filters = new Map<string, string[]>();
  for (const [key, value] of Object.entries(parsed)) {
    if (!known.includes(key)) throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    const values = valuesOf(key, value);
    if (values.length > 0) filters.set(key, values);
  }
  return filters;
}

/** Whether labels have what one `label` filter asks: "key" or "key=value". */
export function hasLabel(labels: Readonly<Record<string, string>>, asked: string): boolean {
  const at = asked.indexOf('=');
  if (at < 0) return Object.hasOwn(labels, asked);
  return Object.hasOwn(labels, asked.slice(0, at)) && labels[asked.slice(0, at)] === asked.slice(at + 1);
}

/** `label` and `label!` together: labels are the one filter whose values are all to hold. */
export function labelsMatch(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  return (
    (filters.get('label') ?? []).every((asked) => hasLabel(labels, asked)) &&
    !(filters.get('label!') ?? []).some((asked) => hasLabel(labels, asked))
  );
}

const FALSE = ['', '0', 'no', 'false', 'none'];

/** A yes/no filter (`dangling`, `is-task` …): undefined when it is not asked. Throws invalid_argument for both at once. */
export function flagFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key);
  if (values === undefined) return undefined;
  const flags = new Set(
    values.map((value) => (value === '1' || value === 'true' ? true : FALSE.includes(value) ? false : null)),
  );
  const [flag] = flags;
  if (flags.size !== 1 || flag === null || flag === undefined)
    throw new EngineError('invalid_argument', `invalid filter '${key}=${JSON.stringify(values)}'`);
  return flag;
}

/** A name filter: one of its values is the name, or a regular expression that is found in it. No filter takes every name. */
export function matchesPattern(values: readonly string[] | undefined, name: string): boolean {
  if (values === undefined) return true;
  return values.some((value) => {
    if (value === name) return true;
    try {
      return new RegExp(value, 'u').test(name);
    } catch {
      return false; // no regular expression, and not the name
    }
  });
}
