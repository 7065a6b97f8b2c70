// Archives of hostile names, links and whiteouts in random order: nothing outside the root is ever touched, nothing but
// sentences is thrown, nothing stays open.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ByteString, bytes } from '../kernel/byte-string.ts';
import { EngineError } from '../model/engine-error.ts';
import { random as seededRandom } from '../testing/random.ts';
import { requires } from '../testing/requires.ts';
import { applyLayer } from './apply-layer.ts';
import { END_OF_ARCHIVE, entryHeader, paddingBytes } from './tar/entry-header.ts';
import type { EntryType } from './tar/reader.ts';

requires('root');

const PARTS = ['a', 'b', 'c', 'd', '..', '.', '', '.wh.a', '.wh.b', '.wh..wh..opq', '.wh..', '.wh...', 'outside', 'é'];
const TYPES: EntryType[] = [
  'file',
  'file',
  'directory',
  'directory',
  'link',
  'link',
  'hard link',
  'fifo',
  'character device',
];
const XATTRS = [
  'trusted.overlay.opaque',
  'user.overlay.redirect',
  'trusted.overlay.metacopy',
  'user.a',
  'security.capability',
];

test.each(['overlay', 'removed'] as const)('whiteouts %s', async (whiteouts) => {
  const directory = mkdtempSync(join(tmpdir(), 'apply-fuzz-'));
  const random = seededRandom(4711);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const path = () => Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(PARTS)).join('/') || 'a';
  const target = () =>
    pick([
      path(),
      `/${path()}`,
      '..',
      '../..',
      '../outside',
      '../../outside',
      directory,
      `${directory}/outside`,
      '/',
      '.',
    ]);
  const archive = (): Buffer => {
    const blocks: Buffer[] = [];
    for (let count = 4 + Math.floor(random() * 24); count > 0; count -= 1) {
      const type = pick(TYPES);
      const content = Buffer.from(type === 'file' ? 'x'.repeat(Math.floor(random() * 600)) : '');
      const header = entryHeader({
        path: bytes(type === 'directory' ? `${path()}/` : path()),
        type,
        mode: Math.floor(random() * 0o10000),
        uid: 0,
        gid: 0,
        size: content.length,
        mtime: { sec: 1, nsec: 2 },
        link: bytes(type.endsWith('link') ? target() : ''),
        devMajor: pick([0, 1]),
        devMinor: pick([0, 3]),
        xattrs: random() < 0.2 ? [[bytes(pick(XATTRS)), 'y' as ByteString]] : [],
      });
      blocks.push(header, content, Buffer.alloc(paddingBytes(content.length)));
    }
    return Buffer.concat([...blocks, END_OF_ARCHIVE]);
  };
  mkdirSync(join(directory, 'outside'));
  writeFileSync(join(directory, 'outside/file'), 'safe');
  writeFileSync(join(directory, 'outside/a'), 'safe too');
  const openBefore = readdirSync('/proc/self/fd').length;
  let refused = 0;
  try {
    for (let round = 0; round < 300; round += 1) {
      const root = join(directory, 'root');
      // Some of them come upon what others left.
      if (round % 3 === 0) rmSync(root, { recursive: true, force: true });
      mkdirSync(root, { recursive: true });
      const tar = archive();
      const stream = async function* () {
        yield await Promise.resolve(tar);
      };
      try {
        await applyLayer(stream(), { directory: root, whiteouts }, { entries: 1000, bytes: 100_000 });
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
        expect((error as Error).message).toMatch(/^Cannot (unpack|read)/);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(20);
    expect(refused).toBeLessThan(299);
    expect(readdirSync(directory).sort()).toEqual(['outside', 'root']);
    expect(readdirSync(join(directory, 'outside')).sort()).toEqual(['a', 'file']);
    expect(readFileSync(join(directory, 'outside/a'), 'utf8')).toBe('safe too');
    expect(readdirSync('/proc/self/fd').length).toBe(openBefore);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
