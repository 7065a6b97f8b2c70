import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ByteString, bytes } from '../../kernel/byte-string.ts';
import { EngineError } from '../../model/engine-error.ts';
import { random as seededRandom } from '../../testing/random.ts';
import { END_OF_ARCHIVE, entryHeader, paddingBytes } from './entry-header.ts';
import { encodeHeader } from './header.ts';
import { decodePax, encodePax, paxTime, paxTimeText } from './pax.ts';
import { type TarEntry, TarReader } from './reader.ts';

const ENTRY: TarEntry = {
  path: bytes('a/b'),
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 1, nsec: 0 },
  link: bytes(''),
  devMajor: 0,
  devMinor: 0,
  xattrs: [],
};

interface Read {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

/** Pushes the archive in pieces of that size. */
function readAll(tar: Uint8Array, pieceBytes = tar.length || 1): Read[] {
  const read: { entry: TarEntry; pieces: [number, Buffer][] }[] = [];
  const reader = new TarReader({
    entry: (entry) => read.push({ entry, pieces: [] }),
    data: (content, offset) => read.at(-1)?.pieces.push([offset, Buffer.from(content)]),
    entryEnd: () => {},
  });
  for (let at = 0; at < tar.length; at += pieceBytes) reader.push(tar.subarray(at, at + pieceBytes));
  reader.finish();
  return read.map(({ entry, pieces }) => {
    const content = Buffer.alloc(Math.min(entry.size, 1 << 20));
    for (const [offset, piece] of pieces) piece.copy(content, offset);
    return { entry, content };
  });
}

function archive(...files: readonly { readonly entry: Partial<TarEntry>; readonly content?: string }[]): Buffer {
  const parts = files.flatMap(({ entry, content = '' }) => {
    const data = Buffer.from(content);
    return [entryHeader({ ...ENTRY, size: data.length, ...entry }), data, Buffer.alloc(paddingBytes(data.length))];
  });
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}

test('what is written is read again, byte for byte, in pieces of any size', () => {
  const entries: Partial<TarEntry>[] = [
    { path: bytes('short') },
    { path: bytes(`${'long/'.repeat(60)}é`), mtime: { sec: -2, nsec: 250_000_000 } },
    { path: 'not\xff utf-8' as ByteString, uid: 3_000_000_000, gid: 4_294_967_294 },
    { path: bytes('link'), type: 'link', link: bytes('t'.repeat(4000)) },
    { path: bytes('second'), type: 'hard link', link: bytes('short') },
    {
      path: bytes('dir/'),
      type: 'directory',
      mode: 0o7777,
      xattrs: [[bytes('security.capability'), '\x01\x00\x00\x02\x80\xff\n=\0' as ByteString]],
    },
    { path: bytes('device'), type: 'block device', devMajor: 259, devMinor: 70_000 },
    { path: bytes('pipe'), type: 'fifo' },
  ];
  const tar = archive(
    ...entries.map((entry, index) => ({ entry, content: entry.type === undefined ? 'x'.repeat(index * 700) : '' })),
  );
  for (const pieceBytes of [tar.length, 512, 511, 1000, 7]) {
    const read = readAll(tar, pieceBytes);
    expect(read.map(({ entry }) => entry)).toEqual(
      entries.map((entry, index) => ({ ...ENTRY, size: entry.type === undefined ? index * 700 : 0, ...entry })),
    );
    expect(read.map(({ content }) => content.length)).toEqual(read.map(({ entry }) => entry.size));
  }
});

test('the length of a PAX record counts its own digits', () => {
  for (let length = 0; length < 1100; length += 1) {
    const records = [[bytes('key'), bytes('v'.repeat(length))]] as const;
    expect(decodePax(encodePax(records))).toEqual(records);
  }
});

test.each([
  ['0', { sec: 0, nsec: 0 }],
  ['1.5', { sec: 1, nsec: 500_000_000 }],
  ['1714979289.123456789', { sec: 1_714_979_289, nsec: 123_456_789 }],
  ['-1.75', { sec: -2, nsec: 250_000_000 }],
  ['-3', { sec: -3, nsec: 0 }],
] as const)('%s s', (text, time) => {
  expect(paxTime(text)).toEqual(time);
  expect(paxTimeText(time)).toBe(text);
});

test.each([
  ['a PAX record is malformed', () => pax('5 a=b')],
  ['a PAX record is malformed', () => pax('99 a=b\n')],
  ['a PAX record is malformed', () => pax('6 a=b\nx')],
  ['its size is no number', () => corrupted((block) => block.write('9999', 124))],
  ['wrong checksum', () => corrupted((block) => block.write('b', 0), false)],
  ['is of an unknown type', () => corrupted((block) => block.write('Q', 156))],
  ['a sparse map is malformed', () => pax(record('GNU.sparse.size', '10') + record('GNU.sparse.map', '5,6'))],
  ['a sparse map does not fit the data', () => pax(record('GNU.sparse.size', '10') + record('GNU.sparse.map', '5,2'))],
  [
    'a sparse map is malformed',
    () => pax(record('GNU.sparse.major', '1') + record('GNU.sparse.minor', '0') + record('GNU.sparse.realsize', '10')),
  ],
  ['an entry’s size is no number', () => pax(record('size', '-5'))],
  ['uid is out of range', () => pax(record('uid', '99999999999'))],
  ['no valid name', () => pax(record('path', 'a\0b'))],
  ['longer than 1 MiB', () => Buffer.concat([special('L', 2 ** 30), END_OF_ARCHIVE])],
  ['something follows its end mark', () => Buffer.concat([Buffer.alloc(512), archive({ entry: {} })])],
  ['it ends too early', () => archive({ entry: {}, content: 'x'.repeat(600) }).subarray(0, 700)],
  ['it is empty', () => Buffer.alloc(0)],
])('%s', (message, tar) => expect(() => readAll(tar())).toThrow(message));

const record = (key: string, value: string): string => encodePax([[bytes(key), bytes(value)]]).toString('latin1');

function special(typeflag: string, size: number): Buffer {
  return encodeHeader({
    path: bytes('special'),
    mode: 0,
    uid: 0,
    gid: 0,
    size,
    mtimeSec: 0,
    typeflag,
    link: bytes(''),
    devMajor: 0,
    devMinor: 0,
  });
}

function pax(text: string): Buffer {
  const data = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  data.write(text, 'latin1');
  return Buffer.concat([special('x', text.length), data, archive({ entry: {} })]);
}

function corrupted(change: (block: Buffer) => void, sum = true): Buffer {
  const tar = archive({ entry: {} });
  change(tar);
  if (!sum) return tar;
  tar.fill(32, 148, 156);
  let total = 0;
  for (const byte of tar.subarray(0, 512)) total += byte;
  tar.write(`${total.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

/** Archives of GNU tar in all its forms: what a learner would begin with. */
function samples(): Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), 'tar-reader-'));
  try {
    const script = `
      mkdir t; cd t; printf 'n%.0s' $(seq 90) > name; mkdir -p $(cat name)/$(cat name); cp name $(cat name)/$(cat name)/
      truncate -s 100000 holes; for at in 5000 40000 90000; do printf data | dd of=holes bs=1 seek=$at conv=notrunc status=none; done
      ln name second; ln -s name link; mkfifo pipe
      for form in gnu ustar v7 posix 'gnu --sparse' 'posix --sparse --sparse-version=0.0' 'posix --sparse --sparse-version=0.1' 'posix --sparse --sparse-version=1.0'; do
        tar --format=$form -b1 -cf - name second link pipe holes $(cat name) 2>/dev/null | base64 -w0; echo
      done`;
    const lines = execFileSync('bash', ['-uc', script], { cwd: directory, encoding: 'utf8', maxBuffer: 1 << 26 });
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Buffer.from(line, 'base64'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a holed file comes out the same from all forms', () => {
  const contents = samples().map((tar) =>
    readAll(tar, 1000)
      .find(({ entry }) => entry.path === 'holes')
      ?.content.toString('latin1'),
  );
  expect(contents.length).toBe(8);
  expect(new Set(contents).size).toBe(1);
  expect(contents[0]?.length).toBe(100_000);
});

test('damaged archives are refused or read, never anything else', () => {
  const random = seededRandom(20_261_121);
  const whole = (limit: number) => Math.floor(random() * limit);
  for (const sample of samples())
    for (let round = 0; round < 400; round += 1) {
      const tar = Buffer.from(sample.subarray(0, round % 5 === 0 ? whole(sample.length) : sample.length));
      for (let changes = 1 + whole(8); changes > 0; changes -= 1) {
        const at = round % 2 === 0 ? whole(tar.length) : whole(tar.length / 512) * 512 + 100 + whole(60);
        if (at < tar.length) tar[at] = round % 3 === 0 ? 48 + whole(10) : whole(256);
      }
      // Half of them with right checksums, or nothing behind the first change would be seen.
      if (round % 2 === 1) mendChecksums(tar);
      let dataBytes = 0;
      const reader = new TarReader({
        entry: ({ path, size, uid }) => {
          expect(path).not.toMatch(/^$|\0/);
          expect(Number.isSafeInteger(size) && size >= 0 && uid >= 0).toBe(true);
        },
        data: (content, offset) => {
          dataBytes += content.length;
          expect(offset).toBeGreaterThanOrEqual(0);
        },
        entryEnd: () => {},
      });
      try {
        for (let at = 0; at < tar.length; at += 4096) reader.push(tar.subarray(at, at + 4096));
        reader.finish();
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
      }
      expect(dataBytes).toBeLessThanOrEqual(tar.length);
    }
});

function mendChecksums(tar: Buffer): void {
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    if (tar.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    tar.fill(32, at + 148, at + 156);
    let total = 0;
    for (const byte of tar.subarray(at, at + 512)) total += byte;
    tar.write(`${total.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
}
