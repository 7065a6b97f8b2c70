import { expect, test } from 'vitest';
import { parseDirectoryEntries } from './directory-entries.ts';

function record(name: string, type: number): Uint8Array {
  const text = new TextEncoder().encode(`${name}\0`);
  const bytes = new Uint8Array(Math.ceil((19 + text.length) / 8) * 8);
  new DataView(bytes.buffer).setUint16(16, bytes.length, true);
  bytes[18] = type;
  bytes.set(text, 19);
  return bytes;
}
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

test('entries with their types, without . and ..', () => {
  const bytes = join(
    record('.', 4),
    record('..', 4),
    record('notes 文.md', 8),
    record('src', 4),
    record('link', 10),
    record('fifo', 1),
  );
  expect(parseDirectoryEntries(bytes)).toEqual([
    { name: 'notes 文.md', type: 'file' },
    { name: 'src', type: 'directory' },
    { name: 'link', type: 'symlink' },
    { name: 'fifo', type: 'other' },
  ]);
});

test('hostile bytes end the list; they never throw and never loop', () => {
  let seed = 7;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256));
    expect(parseDirectoryEntries(bytes).length).toBeLessThanOrEqual(bytes.length / 20 + 1);
  }
  const lying = record('a', 8);
  new DataView(lying.buffer).setUint16(16, 60_000, true);
  expect(parseDirectoryEntries(lying)).toEqual([]);
});
