// Values of a query as Docker's daemon reads them. Pure.
import { EngineError } from '../../model/engine-error.ts';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** The first value; undefined when the key is absent. */
export function queryText(query: unknown, key: string): string | undefined {
  const value = (query as Query)[key];
  return Array.isArray(value) ? value[0] : value;
}

/** All values of a key that may be repeated. */
export function queryTexts(query: unknown, key: string): string[] {
  const value = (query as Query)[key];
  return (Array.isArray(value) ? value : [value ?? '']).filter((one) => one !== '');
}

/** moby's BoolValue: absent, "", "0", "no", "false" and "none" are false; everything else is true. */
export function queryFlag(query: unknown, key: string, absent = false): boolean {
  const value = queryText(query, key)?.trim().toLowerCase();
  return value === undefined ? absent : !['', '0', 'no', 'false', 'none'].includes(value);
}

/** A whole number; undefined when absent or empty. Throws invalid_argument for anything else. */
export function queryNumber(query: unknown, key: string): number | undefined {
  const value = queryText(query, key)?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^[+-]?\d{1,15}$/.test(value)) return Number(value);
  throw new EngineError('invalid_argument', `Cannot read ${key}="${value}": it is no whole number`);
}
