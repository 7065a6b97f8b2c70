import { spawn, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { Epoll, EPOLL } from './epoll.ts';
import { openProcConnector, type ProcConnector } from './proc-connector.ts';
import type { ProcEvent } from './proc-event.ts';

const open: ProcConnector[] = [];
const connector = (receiveBytes?: number) => {
  const made = openProcConnector(receiveBytes);
  if (made === null) throw new Error('this test needs the initial namespaces and CONFIG_PROC_EVENTS');
  open.push(made);
  return made;
};
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});
const drainAll = (from: ProcConnector): ProcEvent[] => {
  const events: ProcEvent[] = [];
  for (;;) {
    const { events: some, more } = from.drain(500);
    events.push(...some);
    if (!more) return events;
  }
};
const run = (script: string): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
    child.once('exit', () => resolve(child.pid ?? -1));
  });

describe('openProcConnector', () => {
  it('tells of fork, exec and exit, with code and signal', async () => {
    const made = connector();
    const shell = await run('(exit 3); sh -c "kill -9 \\$\\$"; exit 7');
    const events = drainAll(made);
    const children = events.filter((event) => event.kind === 'fork' && event.parentPid === shell);
    expect(children).toHaveLength(2);
    const ends = [...children.map((child) => child.pid), shell].map((pid) =>
      events.find((event) => event.kind === 'exit' && event.pid === pid),
    );
    expect(ends).toMatchObject([
      { code: 3, signal: null, parentPid: shell },
      { code: null, signal: 9, parentPid: shell },
      { code: 7, signal: null, parentPid: process.pid },
    ]);
    expect(events.some((event) => event.kind === 'exec' && event.pid === children[1]?.pid)).toBe(true);
    const now = Number(process.hrtime.bigint()) / 1e6;
    for (const event of events) expect(Math.abs(now - event.monotonicMs)).toBeLessThan(60_000);
  });

  it('wakes a poll', () => {
    const made = connector();
    const epoll = new Epoll();
    epoll.add(made.fd, 1, EPOLL.in);
    spawnSync('true');
    expect(epoll.wait(5000)).toEqual([{ token: 1, events: EPOLL.in }]);
    epoll.close();
  });

  it('says that events were lost when its buffer ran over, and goes on', async () => {
    const made = connector(4096);
    await run('for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (exit 0); done');
    let lost = false;
    for (let more = true; more;) {
      const drained = made.drain(500);
      lost ||= drained.lost;
      more = drained.more;
    }
    expect(lost).toBe(true);
    const pid = spawnSync('true').pid;
    expect(drainAll(made).some((event) => event.kind === 'exit' && event.pid === pid)).toBe(true);
  });

  it('is not there outside the initial namespaces', () => {
    const module = new URL('./proc-connector.ts', import.meta.url).href;
    const script = `import { openProcConnector } from ${JSON.stringify(module)}; console.log(openProcConnector());`;
    for (const flag of ['--pid', '--user']) {
      const args = [flag, '--fork', process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
      const ran = spawnSync('unshare', args, { encoding: 'utf8', timeout: 30_000 });
      expect([flag, ran.stdout.trim()]).toEqual([flag, 'null']);
    }
  });
});
