import { expect, test } from 'vitest';
import { DOCKER_DEVICES, RUNTIME_DEVICES } from './default-devices.ts';
import { deviceProgram } from './device-program.ts';
import { ACCESS, type Access, type DeviceList, deviceList } from './device-rules.ts';
import { type EbpfInstruction, encodeEbpf, ebpfText } from './ebpf.ts';
import { runEbpf } from './ebpf-interpreter.ts';
import type { OciDeviceRule } from './oci-spec.ts';

/** The kernel's numbers, written down again from linux/bpf.h. */
const BITS: Record<string, number> = { m: 1, r: 2, w: 4, b: 1, c: 2 };
const bitsOf = (letters: readonly string[]) => letters.reduce((sum, one) => sum + (BITS[one] ?? 0), 0);

interface Asked {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly access: readonly Access[];
}

function answers(program: readonly EbpfInstruction[], { type, major, minor, access }: Asked): boolean {
  const context = new DataView(new ArrayBuffer(12));
  context.setUint32(0, (bitsOf(access) << 16) | bitsOf([type]), true);
  context.setUint32(4, major, true);
  context.setUint32(8, minor, true);
  return runEbpf(program, context) === 1;
}

/** What v1 would say, from the list itself. */
function allowedBy({ allowed, exceptions }: DeviceList, asked: Asked): boolean {
  const about = exceptions.filter(
    ({ type, major, minor }) =>
      type === asked.type && (major ?? asked.major) === asked.major && (minor ?? asked.minor) === asked.minor,
  );
  if (allowed) return !about.some(({ access }) => asked.access.some((one) => access.includes(one)));
  return about.some(({ access }) => asked.access.every((one) => access.includes(one)));
}

const ACCESSES: Access[][] = [['r'], ['w'], ['m'], ['r', 'w'], [...ACCESS]];
const NUMBERS = [0, 1, 3, 5, 9, 10, 136, 200, 229, 2 ** 20 - 1];
const every: Asked[] = (['b', 'c'] as const).flatMap((type) =>
  NUMBERS.flatMap((major) => NUMBERS.flatMap((minor) => ACCESSES.map((access) => ({ type, major, minor, access })))),
);

const none: OciDeviceRule = { allow: false, access: 'rwm' };
const all: OciDeviceRule = { allow: true, access: 'rwm' };
const lists: [string, OciDeviceRule[]][] = [
  ['nothing', []],
  ['everything', [all]],
  ['Docker’s', [...DOCKER_DEVICES, ...RUNTIME_DEVICES]],
  ['all but one block device', [all, { allow: false, type: 'b', major: 10, minor: 3 }]],
  ['all but writing to some', [all, { allow: false, type: 'c', major: 1, access: 'w' }]],
  [
    'overlapping rules: reading by one, writing by another, is not both at once',
    [
      none,
      { allow: true, type: 'c', major: 1, access: 'r' },
      { allow: true, type: 'c', minor: 3, access: 'w' },
      { allow: true, type: 'c', major: 5, minor: 5, access: 'rw' },
    ],
  ],
  ['a whole type', [none, { allow: true, type: 'b', access: 'rwm' }]],
];

test.each(lists)('%s: the program answers as v1 would', (_, rules) => {
  const list = deviceList(rules);
  const program = deviceProgram(list);
  const wrong = every.filter((asked) => answers(program, asked) !== allowedBy(list, asked));
  expect(wrong).toEqual([]);
});

test('the answers are not all the same: Docker’s list lets null be opened, a disk be made and nothing else of it', () => {
  const program = deviceProgram(deviceList([...DOCKER_DEVICES, ...RUNTIME_DEVICES]));
  const ask = (type: 'b' | 'c', major: number, minor: number, ...access: Access[]) =>
    answers(program, { type, major, minor, access });
  expect(ask('c', 1, 3, 'r', 'w')).toBe(true);
  expect(ask('c', 136, 77, 'r', 'w')).toBe(true);
  expect(ask('b', 8, 0, 'm')).toBe(true);
  expect(ask('b', 8, 0, 'r')).toBe(false);
  expect(ask('c', 1, 1, 'r', 'm')).toBe(false);
});

test('a program reads as its rules', () => {
  const rules: OciDeviceRule[] = [
    none,
    { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
    { allow: true, type: 'b', access: 'm' },
  ];
  expect(ebpfText(deviceProgram(deviceList(rules)))).toEqual([
    'w2 = *(u32 *)(r1 + 0)',
    'w3 = w2',
    'w2 &= 65535',
    'w3 >>= 16',
    'w4 = *(u32 *)(r1 + 4)',
    'w5 = *(u32 *)(r1 + 8)',
    'if w2 != 2 goto +4',
    'if w4 != 1 goto +3',
    'if w5 != 3 goto +2',
    'w0 = 1',
    'exit',
    'if w2 != 1 goto +5',
    'w0 = w3',
    'w0 &= 6',
    'if w0 != 0 goto +2',
    'w0 = 1',
    'exit',
    'w0 = 0',
    'exit',
  ]);
});

test('instructions are encoded as the kernel reads them', () => {
  const [load, copy] = deviceProgram(deviceList([]));
  expect([...encodeEbpf(load && copy ? [load, copy] : [])]).toEqual([
    0x61, 0x12, 0, 0, 0, 0, 0, 0, 0xbc, 0x23, 0, 0, 0, 0, 0, 0,
  ]);
});

test('more rules than a program holds are refused', () => {
  const rules = Array.from({ length: 1000 }, (_, major): OciDeviceRule => ({
    allow: true,
    type: 'c',
    major,
    minor: 1,
  }));
  expect(() => deviceProgram(deviceList(rules))).toThrow(
    'Cannot bound devices: 1000 rules are more than a program of 4096 instructions has room for; give wider rules',
  );
});
