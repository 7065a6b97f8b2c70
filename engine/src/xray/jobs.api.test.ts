// The X-ray record through the socket: a sandbox is made, and the job tells what was done to the kernel for it.
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobEvent, JobStep } from '../model/job.ts';
import { TestDaemon } from '../testing/daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.end());

interface Listener {
  events: JobEvent[];
  ended(operation: string): Promise<JobStep[]>;
  close(): void;
}

async function listen(): Promise<Listener> {
  const events: JobEvent[] = [];
  let wake = () => {};
  const call = request({ socketPath: daemon.labSocket, path: '/lab/jobs' });
  call.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    call.once('response', (answer) => {
      const lines = createInterface(answer).on('line', (line) => {
        events.push(JSON.parse(line) as JobEvent);
        wake();
      });
      for (const source of [answer, lines]) source.on('error', () => undefined); // closed by us
      resolve();
    });
    call.end();
  });
  return {
    events,
    async ended(operation) {
      for (;;) {
        const began = events.find((event) => event.kind === 'began' && event.job.operation === operation);
        const id = began?.kind === 'began' ? began.job.id : 0;
        if (events.some((event) => event.kind === 'ended' && event.job === id))
          return events.flatMap((event) => (event.kind === 'step' && event.job === id ? [event.step] : []));
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close: () => call.destroy(),
  };
}

test('a sandbox’s birth is a job with its system calls, netlink messages and file writes', async () => {
  const listener = await listen();
  await daemon.sandbox('xray');
  const steps = await listener.ended('sandbox create');
  const named = (kind: JobStep['kind'], by: string) =>
    steps.filter((step) => step.kind === kind && step.by === by).map(({ name }) => name);
  expect(named('call', 'init')).toEqual(expect.arrayContaining(['sethostname', 'mount', 'pivot_root', 'umount2']));
  expect(named('call', 'ground')).toContain('mount_setattr');
  expect(named('netlink', 'engine')).toEqual(expect.arrayContaining(['RTM_NEWLINK', 'RTM_NEWADDR']));
  const limit = steps.find((step) => step.kind === 'write' && /memory\.(max|limit_in_bytes)/.test(step.args[0] ?? ''));
  expect(limit).toMatchObject({ by: 'engine', result: 0, errno: null });
  const hostname = steps.find(({ name }) => name === 'sethostname');
  expect(hostname).toMatchObject({ args: ['"dock"', '4'], result: 0, errno: null });
  expect(hostname?.ns).toBeGreaterThan(0);
  // Times are of one clock: what the engine did before the plan began comes before what the plan did.
  const pidfd = steps.find(({ name }) => name === 'posix_spawn');
  expect(pidfd?.atNs).toBeLessThan(hostname?.atNs ?? 0);
  listener.close();
});

test('a job that fails says why, and a listener hears only what comes after he began', async () => {
  const listener = await listen();
  const answer = await daemon.call('POST', '/lab/sandboxes/xray/exec', { argv: ['/no/such/program'] });
  expect(answer.status).toBe(404);
  const steps = await listener.ended('sandbox exec');
  expect(steps.find(({ name }) => name === 'execve')).toMatchObject({ result: -1, errno: 'ENOENT' });
  expect(listener.events.at(-1)).toMatchObject({ kind: 'ended', error: expect.stringContaining('/no/such/program') });
  expect(listener.events.filter(({ kind }) => kind === 'began')).toHaveLength(1);
  listener.close();
});
