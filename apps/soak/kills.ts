// The daemon is killed with SIGKILL while it works, again and again. Containers run on as the same processes, every line they wrote is in
// their logs, once and in order, and the exit code of each is known.
import { randomInt } from 'node:crypto';
import type { TestDaemon } from '../../engine/src/testing/daemon.ts';
import { ApiClient } from '../bench/api-client.ts';

const IMAGE = 'busybox:latest';
const LINES = 400;
const RUNNERS = 4;
/** The daemon lives so long at most before it is killed. */
const LIFE_MS = 1_500;

interface Runner {
  readonly id: string;
  readonly pid: number;
  readonly code: number;
}

/** Counts to LINES over some seconds and ends with a code of its own. */
async function startRunner(client: ApiClient, code: number): Promise<Runner> {
  const script = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo line $i; [ $((i % 20)) -ne 0 ] || sleep 0.2; done; exit ${code}`;
  const id = await client.create(IMAGE, ['sh', '-c', script]);
  await client.start(id);
  const { State } = await client.demand<{ State: { Pid: number } }>('GET', `/containers/${id}/json`);
  return { id, pid: State.Pid, code };
}

/** The payload of a multiplexed stream. */
export function payload(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length;) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString();
}

/** Sentences of what is wrong with a runner that has ended. */
async function checkEnded(client: ApiClient, { id, code }: Runner): Promise<string[]> {
  const { StatusCode } = await client.demand<{ StatusCode: number }>('POST', `/containers/${id}/wait`);
  const { bytes } = await client.bytes('GET', `/containers/${id}/logs?stdout=1&stderr=1`);
  const written = payload(bytes).split('\n').filter(Boolean);
  const wanted = Array.from({ length: LINES }, (_, i) => `line ${i + 1}`);
  const wrong: string[] = [];
  if (StatusCode !== code) wrong.push(`container ${id.slice(0, 12)} ended with ${StatusCode}, not ${code}`);
  const first = wanted.findIndex((line, i) => line !== written[i]);
  if (first >= 0 || written.length !== LINES)
    wrong.push(`log of ${id.slice(0, 12)}: ${written.length} lines; at ${first + 1}: "${written[first] ?? ''}"`);
  await client.remove(id);
  return wrong;
}

/** Sentences of what was lost; none is well. */
export async function kills(daemon: TestDaemon, count: number, say: (text: string) => void): Promise<string[]> {
  const wrong: string[] = [];
  let runners: Runner[] = [];
  for (let round = 1; round <= count; round += 1) {
    const client = new ApiClient(daemon.engineSocket);
    while (runners.length < RUNNERS) runners.push(await startRunner(client, 10 + runners.length));
    // Work under way when it dies: what it was doing is neither here nor there afterwards, but whole or gone.
    const life = { ends: false };
    const load = (async () => {
      while (!life.ends) await client.runToExit(IMAGE, ['true']);
    })().catch((error: unknown) => {
      if (!life.ends) wrong.push(`round ${round}: ${error instanceof Error ? error.message : String(error)}`);
    });
    await new Promise((resolve) => setTimeout(resolve, randomInt(LIFE_MS)));
    life.ends = true;
    await daemon.killAndRestart();
    await load;
    client.close();
    const again = new ApiClient(daemon.engineSocket);
    const still: Runner[] = [];
    for (const runner of runners) {
      const found = await again.demand<{ State: { Running: boolean; Pid: number } }>(
        'GET',
        `/containers/${runner.id}/json`,
      );
      if (!found.State.Running) wrong.push(...(await checkEnded(again, runner)));
      else if (found.State.Pid !== runner.pid)
        wrong.push(`round ${round}: container ${runner.id.slice(0, 12)} has another process`);
      else still.push(runner);
    }
    runners = still;
    const all = await again.demand<{ Id: string; State: string }[]>('GET', '/containers/json?all=1');
    for (const { Id } of all) if (!runners.some(({ id }) => id === Id)) await again.remove(Id);
    again.close();
    say(`kill ${round} of ${count}: ${runners.length} containers run on`);
  }
  const last = new ApiClient(daemon.engineSocket);
  for (const runner of runners) wrong.push(...(await checkEnded(last, runner)));
  last.close();
  return wrong;
}
