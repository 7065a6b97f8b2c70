import { Readable } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TerminalDuplex } from './terminal-duplex.ts';

test('output comes through whole, its end ends the reading, typing goes on', async () => {
  const typed: string[] = [];
  const duplex = new TerminalDuplex(
    Readable.from([Buffer.from('one '), Buffer.from('two')]),
    async (bytes) => {
      typed.push(Buffer.from(bytes).toString());
    },
    Promise.resolve(),
  );
  duplex.write('ls\n');
  const parts: Buffer[] = [];
  for await (const part of duplex.iterator({ destroyOnReturn: false })) parts.push(part as Buffer);
  expect(Buffer.concat(parts).toString()).toBe('one two');
  expect(typed).toEqual(['ls\n']);
});

test('a reader that stops holds the output back', async () => {
  let given = 0;
  const output = new Readable({
    highWaterMark: 65_536,
    read() {
      given += 65_536;
      this.push(Buffer.alloc(65_536));
    },
  });
  const duplex = new TerminalDuplex(output, async () => undefined, new Promise(() => undefined));
  duplex.read(1);
  for (let turn = 0; turn < 50; turn += 1) await tick();
  expect(given).toBeLessThan(600_000);
  duplex.destroy();
  expect(output.destroyed).toBe(true);
});

test('leaving is no error, and what is typed to an ended shell is no error either', async () => {
  const duplex = new TerminalDuplex(
    new Readable({ read: () => undefined }),
    () => Promise.reject(new Error('ended')),
    new Promise(() => undefined),
  );
  const problems: unknown[] = [];
  duplex.on('error', (error) => problems.push(error));
  duplex.write('ls\n');
  await tick();
  duplex.destroy();
  await tick();
  expect(problems).toEqual([]);
});

test('the end comes once it is known how the shell ended', async () => {
  let tell = (): void => undefined;
  const exit = new Promise<void>((resolve) => (tell = resolve));
  const duplex = new TerminalDuplex(Readable.from([Buffer.from('bye')]), async () => undefined, exit);
  let ended = false;
  duplex.on('end', () => (ended = true)).resume();
  for (let turn = 0; turn < 20; turn += 1) await tick();
  expect(ended).toBe(false);
  tell();
  for (let turn = 0; turn < 20; turn += 1) await tick();
  expect(ended).toBe(true);
});
