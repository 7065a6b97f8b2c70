// PAX extended header records (POSIX pax, "pax Extended Header"): "LENGTH KEY=VALUE\n", read and written. Pure. Values are
// bytes: file capabilities in them are no UTF-8.
import { type ByteString, fromBuffer } from '../../kernel/byte-string.ts';
import type { Time } from '../../kernel/stat.ts';
import { badTar } from './header.ts';

export type PaxRecord = readonly [key: ByteString, value: ByteString];

/** In order; a key may come more than once (GNU's sparse maps 0.0). Throws invalid_argument. */
export function decodePax(data: Uint8Array): PaxRecord[] {
  const text = fromBuffer(data);
  const records: PaxRecord[] = [];
  for (let at = 0; at < text.length;) {
    // Some writers fill up with NULs.
    if (text[at] === '\0') break;
    const space = text.indexOf(' ', at);
    const digits = text.slice(at, space);
    const end = at + Number(digits);
    const equals = text.indexOf('=', space);
    const whole = /^[0-9]{1,9}$/.test(digits) && end <= text.length && text[end - 1] === '\n';
    if (space < 0 || !whole || equals < 0 || equals >= end - 1) throw badTar('a PAX record is malformed');
    records.push([text.slice(space + 1, equals) as ByteString, text.slice(equals + 1, end - 1) as ByteString]);
    at = end;
  }
  return records;
}

/** The length counts itself. */
export function encodePax(records: readonly PaxRecord[]): Buffer {
  const parts = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    return `${length}${rest}`;
  });
  return Buffer.from(parts.join(''), 'latin1');
}

/** "-1.25" is 1.25 s before 1970. Digits beyond nanoseconds are cut. Null for what is no time. */
export function paxTime(value: string): Time | null {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) return null;
  const seconds = Number(match[2]);
  const nsec = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return { sec: seconds, nsec };
  return nsec === 0 ? { sec: -seconds, nsec: 0 } : { sec: -seconds - 1, nsec: 1e9 - nsec };
}

export function paxTimeText({ sec, nsec }: Time): string {
  if (nsec === 0) return String(sec);
  const fraction = (value: number) => String(value).padStart(9, '0').replace(/0+$/, '');
  if (sec >= 0) return `${sec}.${fraction(nsec)}`;
  return `-${-sec - 1}.${fraction(1e9 - nsec)}`;
}
