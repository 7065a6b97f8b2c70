import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import type { EngineTerminalStream } from '../engine-client/terminal-stream.ts';
import { HIGH_WATER_BYTES } from './flow-window.ts';
import { Viewer } from './viewer.ts';

/** A terminal as the engine keeps it: all bytes since `kept`; followers read at their own pace. */
class ScriptedTerminal {
  bytes = Buffer.alloc(0);
  kept = 0;
  shellEnded = false;
  absent = false;
  typed = '';
  followers: { duplex: Duplex; at: number; wants: boolean }[] = [];

  write(data: string | Buffer): void {
    this.bytes = Buffer.concat([this.bytes, Buffer.from(data)]);
    for (const follower of this.followers) this.#feed(follower);
  }
  open(from: number): Promise<EngineTerminalStream> {
    if (this.absent) return Promise.reject(new Error('ECONNREFUSED'));
    const offset = Math.max(from, this.kept);
    const follower = {
      at: offset,
      wants: false,
      duplex: new Duplex({
        allowHalfOpen: false,
        read: () => {
          follower.wants = true;
          this.#feed(follower);
        },
        write: (chunk: Buffer, _encoding, done) => {
          this.typed += chunk.toString();
          done();
        },
      }),
    };
    this.followers.push(follower);
    return Promise.resolve({ offset, duplex: follower.duplex });
  }
  /** The engine dies: every stream breaks. */
  die(): void {
    this.absent = true;
    for (const { duplex } of this.followers.splice(0)) duplex.destroy();
  }
  #feed(follower: { duplex: Duplex; at: number; wants: boolean }): void {
    while (follower.wants && follower.at < this.bytes.length) {
      const chunk = this.bytes.subarray(follower.at, follower.at + 65_536);
      follower.at += chunk.length;
      follower.wants = follower.duplex.push(chunk);
    }
    if (this.shellEnded && follower.wants) follower.duplex.push(null);
  }
}

let terminal: ScriptedTerminal;
let sent: { offset: number; data: Buffer }[];
let over: number;
let congested: boolean;

async function view(from: number): Promise<Viewer> {
  const viewer = new Viewer(
    {
      open: (position) => terminal.open(position),
      ended: () => (terminal.absent ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve(terminal.shellEnded)),
      send: (offset, data) => void sent.push({ offset, data: Buffer.from(data) }),
      congested: () => congested,
      over: () => (over += 1),
    },
    from,
    await terminal.open(from),
  );
  viewer.start();
  return viewer;
}
const text = (): string => Buffer.concat(sent.map(({ data }) => data)).toString();
const sentBytes = (): number => sent.reduce((bytes, { data }) => bytes + data.length, 0);
const settle = (ms = 10): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  terminal = new ScriptedTerminal();
  sent = [];
  over = 0;
  congested = false;
});
afterEach(() => vi.useRealTimers());

describe('output', () => {
  it('sends the first bytes after idle without a timer, then gathers', async () => {
    const viewer = await view(0);
    await settle();
    terminal.write('a');
    await settle(0);
    expect(text()).toBe('a');
    terminal.write('b');
    terminal.write('c');
    await settle(0);
    expect(text()).toBe('a');
    await settle(4);
    expect(sent.map(({ data }) => data.toString())).toEqual(['a', 'bc']);
    viewer.close();
  });

  it('gives the kept bytes from where the browser is; what is gone is a jump in positions', async () => {
    terminal.bytes = Buffer.from('x'.repeat(200) + 'tail');
    terminal.kept = 100;
    const viewer = await view(20);
    await settle();
    expect(text()).toBe(`${'x'.repeat(100)}tail`);
    expect([viewer.firstOffset, sent[0]!.offset]).toEqual([100, 100]);
    viewer.close();
  });

  it('positions are continuous whatever the chunks', async () => {
    const viewer = await view(0);
    for (let count = 0; count < 50; count += 1) {
      terminal.write('y'.repeat(count * 700));
      await settle(1);
    }
    await settle();
    let position = 0;
    for (const { offset, data } of sent) {
      expect(offset).toBe(position);
      position += data.length;
      viewer.acknowledge(position);
    }
    viewer.close();
  });
});

describe('flow control', () => {
  const flood = Buffer.alloc(8 * 2 ** 20, 'z');

  it('reads no more than the high-water mark ahead of the browser', async () => {
    const viewer = await view(0);
    terminal.write(flood);
    await settle(100);
    expect(sentBytes()).toBeGreaterThan(HIGH_WATER_BYTES);
    expect(sentBytes()).toBeLessThanOrEqual(HIGH_WATER_BYTES + 2 * 65_536);
    const before = sentBytes();
    viewer.acknowledge(before);
    await settle(100);
    expect(sentBytes()).toBeGreaterThan(before);
    viewer.close();
  });

  it('delivers every byte to a browser that acknowledges', async () => {
    const viewer = await view(0);
    terminal.write(flood);
    for (let rounds = 0; rounds < 100 && sentBytes() < flood.length; rounds += 1) {
      await settle(10);
      viewer.acknowledge(sentBytes());
    }
    expect(sentBytes()).toBe(flood.length);
    viewer.close();
  });

  it('rests while the socket is full, even if the browser acknowledges everything', async () => {
    const viewer = await view(0);
    congested = true;
    terminal.write(flood);
    await settle(10);
    viewer.acknowledge(Number.MAX_SAFE_INTEGER);
    await settle(1000);
    expect(sentBytes()).toBeLessThanOrEqual(2 * 65_536);
    congested = false;
    viewer.reconsider();
    await settle(10);
    expect(sentBytes()).toBeGreaterThan(HIGH_WATER_BYTES);
    viewer.close();
  });

  it('lets output by when the browser stopped, still takes keys, and goes on where it was', async () => {
    const viewer = await view(0);
    terminal.write(flood);
    await settle(3000);
    // The shell is held back no longer.
    expect(terminal.followers[0]!.at).toBe(flood.length);
    const seen = sentBytes();
    viewer.input(Buffer.from('\x03'));
    await settle();
    expect(terminal.typed).toBe('\x03');
    for (let rounds = 0; rounds < 100 && sentBytes() < flood.length; rounds += 1) {
      viewer.acknowledge(sentBytes());
      await settle(10);
    }
    expect(seen).toBeLessThan(flood.length);
    expect(sentBytes()).toBe(flood.length);
    viewer.close();
  });
});

describe('an engine that dies', () => {
  it('resumes where it was, and delivers what was typed meanwhile', async () => {
    const viewer = await view(0);
    terminal.write('before ');
    await settle();
    terminal.die();
    await settle(500);
    viewer.input(Buffer.from('ls\r'));
    terminal.bytes = Buffer.concat([terminal.bytes, Buffer.from('meanwhile ')]);
    terminal.absent = false;
    await settle(3000);
    terminal.write('after');
    await settle();
    expect(text()).toBe('before meanwhile after');
    expect(terminal.typed).toBe('ls\r');
    expect(over).toBe(0);
    viewer.close();
  });

  it('stops asking once closed', async () => {
    const viewer = await view(0);
    terminal.die();
    await settle(500);
    viewer.close();
    terminal.absent = false;
    await settle(5000);
    expect(terminal.followers).toEqual([]);
  });
});

describe('an end', () => {
  it('of the shell comes after its last output', async () => {
    await view(0);
    terminal.write('one ');
    await settle();
    const [follower] = terminal.followers;
    terminal.bytes = Buffer.concat([terminal.bytes, Buffer.from('logout')]);
    terminal.shellEnded = true;
    follower!.duplex.destroy();
    await settle(50);
    expect(text()).toBe('one logout');
    expect(over).toBe(1);
  });

  it('of the sandbox is an end too', async () => {
    const viewer = new Viewer(
      {
        open: () => Promise.reject(new EngineError('not_found', 'no such terminal')),
        ended: () => Promise.reject(new EngineError('not_found', 'no such terminal')),
        send: () => undefined,
        congested: () => false,
        over: () => (over += 1),
      },
      0,
      await terminal.open(0),
    );
    viewer.start();
    terminal.die();
    await settle(50);
    expect(over).toBe(1);
  });
});
