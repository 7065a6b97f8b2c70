// Seeded fuzzing of every parser of bytes that a learner can influence: none may throw, run away or give an odd value.
import { describe, expect, it } from 'vitest';
import { random } from '../../testing/random.ts';
import { parseCgroup } from './cgroup.ts';
import { parseCmdline } from './cmdline.ts';
import { parseIdMap } from './id-map.ts';
import { parseMountinfo } from './mountinfo.ts';
import { parseNamespaceLink } from './namespace-link.ts';
import { parseStat } from './stat.ts';
import { parseStatus } from './status.ts';

const SAMPLES = [
  '1 (a) S 0 1 1 34816 1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 5 1 1 1 1\n',
  'Name:\ta\nState:\tR (running)\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t5\t1\nThreads:\t1\nCapBnd:\t000001ffffffffff\n',
  'sh\0-c\0echo \xf0\x9f\x98\x80\0',
  '5:cpu,cpuacct:/a\n0::/x\n',
  '         0    1000000      65536\n',
  'pid:[4026531836]',
  '36 35 98:0 / /mnt\\040x rw shared:7 - ext4 /dev/root rw,errors=continue\n',
];
const NASTY = [
  '\n',
  '\0',
  ' ',
  ')',
  '(',
  ':',
  '\\',
  '\\777',
  '-',
  ' - ',
  '\xff',
  '\xed\xa0\x80',
  '9'.repeat(40),
  '\t',
  '/..',
];

function mutate(text: string, next: () => number): string {
  let out = text;
  for (let times = Math.floor(next() * 8); times >= 0; times--) {
    const at = Math.floor(next() * (out.length + 1));
    const insert =
      next() < 0.5 ? (NASTY[Math.floor(next() * NASTY.length)] ?? '') : String.fromCharCode(Math.floor(next() * 256));
    const cut = next() < 0.4 ? Math.floor(next() * 10) : 0;
    out = out.slice(0, at) + insert + out.slice(at + cut);
    if (next() < 0.05) out = out.repeat(1 + Math.floor(next() * 30)).slice(0, 100_000);
  }
  return out;
}

const isWhole = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value === 'string') return Buffer.from(value).toString() === value;
  if (value === null || typeof value === 'boolean') return true;
  return typeof value === 'object' && Object.values(value).every(isWhole);
};

describe('parsers of /proc', () => {
  for (const [name, parse] of Object.entries({
    parseStat,
    parseStatus,
    parseCmdline,
    parseCgroup,
    parseIdMap,
    parseNamespaceLink,
    parseMountinfo,
  }))
    it(`${name} takes any bytes`, () => {
      const next = random(0xd0c);
      for (let round = 0; round < 4000; round++) {
        const text = mutate(SAMPLES[round % SAMPLES.length] ?? '', next);
        const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
        const value = parse(bytes);
        if (!isWhole(value)) expect.fail(`${JSON.stringify(text)} gave ${JSON.stringify(value)}`);
      }
    });
});
