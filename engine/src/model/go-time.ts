// Points in time as Docker's clients send and read them, in nanoseconds since 1970: more than a double holds. Pure.
import { EngineError } from './engine-error.ts';

const SECOND_NS = 1_000_000_000n;
const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

const DURATION = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)/;
const UNIX = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

const nanos = (digits: string | undefined): bigint => BigInt((digits ?? '').padEnd(9, '0'));

/** A duration as Go writes it: "1h30m", "-1.5s", "0". Null when it is none. */
export function goDurationNs(text: string): bigint | null {
  const sign = text.startsWith('-') ? -1n : 1n;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0n;
  if (rest === '') return null;
  let total = 0n;
  while (rest !== '') {
    const match = DURATION.exec(rest);
    if (!match) return null;
    const [number = '', unit = ''] = [/^[\d.]+/.exec(match[0])?.[0], /[^\d.]+$/.exec(match[0])?.[0]];
    total += BigInt(Math.round(Number(number) * (UNIT_NS[unit] ?? 0)));
    rest = rest.slice(match[0].length);
  }
  return sign * total;
}

function dateNs(text: string): bigint | null {
  const match = DATE.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction, zone = ''] = match;
  // Without a zone it is the local time, as for Docker's clients.
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + nanos(fraction);
}

/**
 * `since` and `until`: seconds since 1970 with a fraction, RFC 3339 or a part of it, or a Go duration before now. Throws
 * invalid_argument.
 */
export function parseTimeNs(text: string, nowNs: bigint): bigint {
  const unix = UNIX.exec(text);
  if (unix) {
    const whole = BigInt(unix[1] as string) * SECOND_NS;
    return text.startsWith('-') ? whole - nanos(unix[2]) : whole + nanos(unix[2]);
  }
  const duration = goDurationNs(text);
  const at = duration === null ? dateNs(text) : nowNs - duration;
  if (at === null)
    throw new EngineError(
      'invalid_argument',
      `invalid value for time: "${text}" is neither seconds since 1970, nor RFC 3339, nor a duration like 1h30m`,
    );
  return at;
}

const secondOf = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);

/** RFC 3339 in UTC, always with nine digits: "2026-11-20T20:42:12.000000001Z", as `logs --timestamps` shows it. */
export const rfc3339NanoFixed = (ns: bigint): string => `${secondOf(ns)}.${String(ns % SECOND_NS).padStart(9, '0')}Z`;

/** The same as Go's RFC3339Nano: without the fraction's last zeros. */
export const rfc3339Nano = (ns: bigint): string => rfc3339NanoFixed(ns).replace(/\.?0+Z$/, 'Z');
