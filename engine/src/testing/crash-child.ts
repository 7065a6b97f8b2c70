// The process that a crash test lets die: a daemon without sockets, which does one thing to one container. See
// container/crash.kernel.test.ts.
import { crashAfter, pointsPassed } from '../kernel/crash-points.ts';
import { pino } from 'pino';
import type { ContainersBackend } from '../api/docker/containers-backend.ts';
import { readCreateRequest } from '../api/docker/container-create-schema.ts';
import { createDockerEngine } from '../docker-engine.ts';
import { instanceOf } from '../instance.ts';
import { detectCgroups } from '../kernel/cgroup/detect.ts';
import { Jobs } from '../xray/jobs.ts';

export type Scene = 'create' | 'start' | 'stop' | 'kill' | 'remove' | 'run --rm';
export const NAME = 'crash';

export interface CrashOrder {
  readonly env: Readonly<Record<string, string>>;
  readonly scene: Scene;
  readonly at: number;
}

/** Ends at SIGTERM with 3. */
const WAITING = 'trap "exit 3" TERM; while true; do sleep 0.02; done';

export const createRequest = (script = WAITING, AutoRemove = false) =>
  readCreateRequest({
    Image: 'busybox:latest',
    Cmd: ['sh', '-c', script],
    Volumes: { '/data': {} },
    HostConfig: { AutoRemove, NetworkMode: 'none' },
  });

const SCENES: Readonly<Record<Scene, { before?: (b: ContainersBackend) => Promise<unknown>; does: Doing }>> = {
  create: { does: (b) => b.create({ name: NAME, ...createRequest() }) },
  start: { does: (b) => b.start(NAME) },
  stop: { before: (b) => b.start(NAME), does: (b) => b.stop(NAME, {}) },
  kill: { before: (b) => b.start(NAME), does: (b) => killed(b) },
  remove: { before: (b) => b.start(NAME), does: (b) => b.remove(NAME, { force: true, withVolumes: true }) },
  'run --rm': { before: (b) => b.create({ name: 'short', ...createRequest('true', true) }), does: (b) => wholeRun(b) },
};

type Doing = (backend: ContainersBackend) => Promise<unknown>;

async function killed(backend: ContainersBackend): Promise<void> {
  const over = backend.wait(NAME, 'not-running', new AbortController().signal);
  await backend.kill(NAME, undefined);
  await over;
}

async function wholeRun(backend: ContainersBackend): Promise<void> {
  const removed = backend.wait('short', 'removed', new AbortController().signal);
  await backend.start('short');
  await removed;
}

export async function openEngine(env: Readonly<Record<string, string>>) {
  const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));
  const engine = await createDockerEngine({
    instance: instanceOf(env),
    cgroupHost: detectCgroups(),
    log,
    jobs: new Jobs(),
  });
  await engine.recover();
  return engine;
}

if (process.argv[2] !== undefined) {
  const { env, scene, at } = JSON.parse(process.argv[2]) as CrashOrder;
  const { backends } = await openEngine(env);
  const { before, does } = SCENES[scene];
  await before?.(backends.containers);
  crashAfter(at);
  await does(backends.containers);
  process.stdout.write(`${pointsPassed()}\n`);
  process.exit(0);
}
