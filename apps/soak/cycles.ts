// A thousand lives of a container, with and without a volume, an exec, a terminal, --rm, a force: then everything is counted again.
import type { ApiClient } from '../bench/api-client.ts';
import { grown, type Held, holdingsOf } from './holdings.ts';

/** Caches fill and threads start in the first of them: what is there then is what must be there at the end. */
const WARM_UP = 50;
const SETTLE_MS = 3_000;

const IMAGE = 'busybox:latest';
const NONE = { NetworkMode: 'none' };

type Life = (client: ApiClient) => Promise<void>;

async function stopped(client: ApiClient): Promise<void> {
  const id = await client.create(IMAGE, ['sleep', '1000']);
  await client.start(id);
  await client.exec(id, ['sh', '-c', 'echo $((6 * 7)) > /tmp/answer']);
  await client.demand('POST', `/containers/${id}/stop?t=0`);
  await client.demand('DELETE', `/containers/${id}`);
}

async function forced(client: ApiClient): Promise<void> {
  const HostConfig = { ...NONE, Memory: 64 * 2 ** 20, PidsLimit: 50, Tmpfs: { '/scratch': '' } };
  const body = { Image: IMAGE, Cmd: ['sleep', '1000'], Tty: true, HostConfig, Volumes: { '/data': {} } };
  const { Id } = await client.demand<{ Id: string }>('POST', '/containers/create', body);
  await client.start(Id);
  await client.remove(Id);
}

async function removing(client: ApiClient): Promise<void> {
  const body = { Image: IMAGE, Cmd: ['true'], HostConfig: { ...NONE, AutoRemove: true } };
  const { Id } = await client.demand<{ Id: string }>('POST', '/containers/create', body);
  const gone = client.demand('POST', `/containers/${Id}/wait?condition=removed`);
  await client.start(Id);
  await gone;
}

async function failing(client: ApiClient): Promise<void> {
  const id = await client.create(IMAGE, ['no-such-program']);
  const { status } = await client.call('POST', `/containers/${id}/start`);
  if (status < 400) throw new Error('A program that is not there was started');
  await client.demand('DELETE', `/containers/${id}`);
}

const LIVES: readonly Life[] = [stopped, forced, (client) => client.runToExit(IMAGE, ['true']), removing, failing];

/** Sentences of what is left behind; none is well. */
export async function cycles(
  client: ApiClient,
  held: Held,
  count: number,
  say: (text: string) => void,
): Promise<string[]> {
  const live = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      await LIVES[i % LIVES.length]?.(client);
      if ((i + 1) % 100 === 0) say(`cycle ${i + 1} of ${count}`);
    }
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  await live(0, Math.min(WARM_UP, count));
  await settle();
  const before = holdingsOf(held);
  await live(WARM_UP, count);
  await settle();
  const after = holdingsOf(held);
  say(`held before: ${JSON.stringify(before)}`);
  say(`held after:  ${JSON.stringify(after)}`);
  return grown(before, after);
}
