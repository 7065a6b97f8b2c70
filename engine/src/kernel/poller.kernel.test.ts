import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { EPOLL, closeDescriptor, eventfd, signalEventfd } from './epoll.ts';
import { bind } from './libc.ts';
import { createPoller, type Poller } from './poller.ts';

const pipe2 = bind('int pipe2(_Out_ int *, int)');
const open: Poller[] = [];
const poller = () => {
  const made = createPoller();
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

describe('createPoller', () => {
  it('tells of an eventfd again and again, once for each time it was dealt with', async () => {
    const fd = eventfd();
    const buffer = Buffer.alloc(8);
    const counts: number[] = [];
    await new Promise<void>((resolve) => {
      const watched = poller().watch(fd, () => {
        readSync(fd, buffer);
        counts.push(Number(buffer.readBigUInt64LE()));
        if (counts.length < 50) return signalEventfd(fd);
        watched.stop();
        resolve();
      });
      signalEventfd(fd);
    });
    closeDescriptor(fd);
    expect(counts).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it('does not tell twice while the first time is being dealt with', async () => {
    const fds = [0, 0] as [number, number];
    pipe2(fds, 0o4000);
    let inside = 0;
    let most = 0;
    let read = '';
    writeSync(fds[1], 'abc');
    await new Promise<void>((resolve) => {
      const watched = poller().watch(fds[0], async () => {
        most = Math.max(most, ++inside);
        await new Promise((later) => setTimeout(later, 5));
        const one = Buffer.alloc(1);
        readSync(fds[0], one);
        read += one.toString();
        inside--;
        if (read.length === 3) resolve(watched.stop());
      });
    });
    expect([most, read]).toEqual([1, 'abc']);
    for (const fd of fds) closeSync(fd);
  });

  it('says that the other end has hung up, and is silent after stop', async () => {
    const fds = [0, 0] as [number, number];
    pipe2(fds, 0o4000);
    const made = poller();
    let calls = 0;
    const events = await new Promise<number>((resolve) => {
      const watched = made.watch(fds[0], (bits) => {
        calls++;
        watched.stop();
        resolve(bits);
      });
      closeSync(fds[1]);
    });
    expect(events & EPOLL.hup).toBe(EPOLL.hup);
    const other = eventfd();
    await new Promise<void>((resolve) => {
      const watched = made.watch(other, () => resolve(watched.stop()));
      signalEventfd(other);
    });
    expect(calls).toBe(1);
    closeSync(fds[0]);
    closeDescriptor(other);
  });

  it('refuses what cannot be polled, by name', () => {
    const fd = openSync('/etc/passwd', 'r');
    expect(() => poller().watch(fd, () => {})).toThrow(/Cannot epoll_ctl "descriptor \d+": EPERM/);
    closeSync(fd);
  });

  it('keeps no process alive, and process.exit does not hang on the waiting thread', () => {
    const script = (last: string) =>
      `import { createPoller } from ${JSON.stringify(new URL('./poller.ts', import.meta.url).href)}; createPoller(); ${last}`;
    for (const [last, status] of [
      ['', 0],
      ['setTimeout(() => process.exit(3), 300)', 3],
      ['setTimeout(() => { throw new Error("x"); }, 300)', 1],
    ] as const) {
      const ran = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script(last)], {
        timeout: 20_000,
      });
      expect([last, ran.status, ran.signal]).toEqual([last, status, null]);
    }
  });
});
