// A daemon that dies at any step of create, start, stop, kill, remove and of a whole `run --rm`: the next one finds the
// container as it was or as it was to be, never half, and nothing of it is left when it is gone.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instanceId } from '../instance-id.mjs';
import { createRequest, type CrashOrder, NAME, openEngine, type Scene } from '../testing/crash-child.ts';
import { freshLaunch } from '../testing/launch.ts';
import { requires } from '../testing/requires.ts';
import { busyboxImage } from '../testing/test-image.ts';

requires('overlay');

/** Every step is `npm run soak`'s; here, one of so many, each time another one of them. */
const STRIDE = process.env['DRYDOCK_SOAK'] === undefined ? 12 : 1;
const CHILD = join(import.meta.dirname, '../testing/crash-child.ts');
const MOST_POINTS = 500;

let directory: string;
let env: { DRYDOCK_ROOT: string; DRYDOCK_RUN: string };

beforeAll(async () => {
  freshLaunch();
  directory = mkdtempSync(join(tmpdir(), 'drydock-crash-'));
  env = { DRYDOCK_ROOT: join(directory, 'root'), DRYDOCK_RUN: mkdtempSync('/dev/shm/drydock-crash-') };
  mkdirSync(env.DRYDOCK_ROOT);
  const image = busyboxImage({}, directory);
  const engine = await openEngine(env);
  await engine.backends.images.load(createReadStream(image.dockerTar), () => undefined);
  await engine.release();
});

afterAll(async () => {
  const engine = await openEngine(env);
  await engine.removeAll();
  await engine.release();
  rmSync(directory, { recursive: true, force: true });
  rmSync(env.DRYDOCK_RUN, { recursive: true, force: true });
});

const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

/** Ids that something is left of; volumes, and copies into them under way. */
function traces(): { containers: string[]; volumes: string[] } {
  const { DRYDOCK_ROOT: root, DRYDOCK_RUN: run } = env;
  const groups = list('/sys/fs/cgroup').flatMap((tree) =>
    list(join('/sys/fs/cgroup', tree, `drydock-${instanceId(root, run)}-containers`)),
  );
  const named = [
    ...list(join(root, 'containers')),
    ...list(join(root, 'overlay/writable')),
    ...list(join(run, 'containers')),
    ...groups,
  ].filter((name) => /^[0-9a-f]{64}$/.test(name));
  const volumes = [
    ...list(join(root, 'volumes')).filter((name) => name !== 'metadata.db'),
    ...list(join(run, 'volume-copies')),
  ];
  return { containers: [...new Set(named)], volumes };
}

/** Keepers and what they keep, of this test's daemons. */
function processes(): string[] {
  return list('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(
          `drydock-${instanceId(env.DRYDOCK_ROOT, env.DRYDOCK_RUN)}-`,
        );
      } catch {
        return false; // it has ended
      }
    });
}

type Containers = Awaited<ReturnType<typeof openEngine>>['backends']['containers'];

const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8');

/** A daemon of its own does it, and dies at that point; true when it came to the end before. */
function dies(order: Omit<CrashOrder, 'env'>): boolean {
  const child = spawnSync(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify({ env, ...order })], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (child.signal === 'SIGKILL') return false;
  expect(child.stderr).toBe('');
  expect(child.status).toBe(0);
  return true;
}

const all = (containers: Containers) =>
  containers.list({ all: true, limit: 0, size: false, filters: new Map(), isNamed: () => true }) as Promise<
    { Id: string; State: string; Mounts: { Name: string }[] }[]
  >;

/** Also one with --rm, which goes by itself. */
async function removed(containers: Containers, id: string, byForce = true): Promise<void> {
  try {
    const gone = containers.wait(id, 'removed', new AbortController().signal);
    if (byForce)
      await containers.remove(id, { force: true, withVolumes: true }).catch((error: unknown) => {
        expect(error).toMatchObject({ kind: 'conflict' }); // it is going already
      });
    await gone;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'not_found' });
  }
}

test.each<Scene>(['create', 'start', 'stop', 'kill', 'remove', 'run --rm'])(
  'a daemon that dies at any step of %s leaves nothing half',
  { timeout: 600_000 },
  async (scene) => {
    const mountsBefore = mounts();
    const first = Math.floor(Math.random() * STRIDE);
    for (let at = first; at < MOST_POINTS; at += STRIDE) {
      const told = `${scene}, after ${at} touches`;
      if (scene !== 'create' && scene !== 'run --rm') {
        const engine = await openEngine(env);
        await engine.backends.containers.create({ name: NAME, ...createRequest() });
        await engine.release();
      }
      const isDone = dies({ scene, at });
      const engine = await openEngine(env);
      const { containers } = engine.backends;
      // What ended while nobody looked and was to go, goes now, by itself.
      if (scene === 'run --rm')
        for (const { Id, State } of await all(containers))
          if (State !== 'created') await removed(containers, Id, false);
      const found = await all(containers);
      // Nothing of a container that is not there.
      const left = traces();
      expect(left.containers.sort(), told).toEqual(found.map(({ Id }) => Id).sort());
      expect(left.volumes.sort(), told).toEqual(found.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)).sort());
      // What is there works.
      for (const { Id, State } of found) {
        expect(['created', 'running', 'exited'], told).toContain(State);
        if (State !== 'running') await containers.start(Id);
        await containers.stop(Id, {}).catch((error: unknown) => expect(error).toMatchObject({ kind: 'not_modified' }));
        await removed(containers, Id);
      }
      expect(traces(), told).toEqual({ containers: [], volumes: [] });
      expect(processes(), told).toEqual([]);
      expect(mounts(), told).toBe(mountsBefore);
      await engine.release();
      if (isDone) return;
    }
    expect.unreachable(`${scene} has more than ${MOST_POINTS} touches`);
  },
);
