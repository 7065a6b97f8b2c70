// `npm start -- --stop`: ends every sandbox of this instance (their files are kept), then the lab and the engine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineCommand } from './server-jail.mjs';
import { listSandboxes, stopSandbox } from './engine-client.mjs';
import { LAB_USER, findUser } from './lab-user.mjs';
import { buildFolder } from './paths.mjs';
import { readRunning } from './running.mjs';
import { Supervised } from './supervisor.mjs';
import { SetupError } from './tool.mjs';

/** @param {import('./paths.mjs').InstancePaths} paths */
export async function stopEverything(paths) {
  const ended = await withEngine(paths, async () => {
    const sandboxes = (await listSandboxes(paths.labSocket)) ?? [];
    const alive = sandboxes.filter(({ state }) => state !== 'stopped' && state !== 'failed');
    for (const { id } of alive) await stopSandbox(paths.labSocket, id);
    return alive.length;
  });
  if (ended !== null && ended > 0)
    console.log(`${ended} ${ended === 1 ? 'sandbox has' : 'sandboxes have'} ended; files are kept.`);
  console.log(
    (await stopRunning(paths)) ? 'The lab and the engine have stopped.' : 'Neither the lab nor the engine was running.',
  );
}

/** Ends the `npm start` that runs, and waits for it. False where none runs. @param {import('./paths.mjs').InstancePaths} paths */
export async function stopRunning(paths) {
  const running = readRunning(paths.runningFile);
  if (!running) return false;
  process.kill(running.pid, 'SIGTERM');
  const deadline = Date.now() + 30_000;
  while (readRunning(paths.runningFile)) {
    if (Date.now() > deadline) {
      throw new SetupError(
        `Cannot stop "npm start": process ${running.pid} did not end within 30 s. Look at ${paths.root}/logs.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/**
 * Does something with an engine that answers: the one that runs, or one started for the purpose. null where there is nothing to
 * start, because the instance has no state or nothing is built.
 * @template T @param {import('./paths.mjs').InstancePaths} paths @param {() => Promise<T>} work
 * @returns {Promise<T | null>}
 */
export async function withEngine(paths, work) {
  if ((await listSandboxes(paths.labSocket)) !== null) return await work();
  const user = findUser(readFileSync('/etc/passwd', 'utf8'), LAB_USER);
  if (!user || !existsSync(join(paths.root, 'sandboxes')) || !existsSync(join(buildFolder, 'engine.mjs'))) return null;
  const engine = new Supervised({
    title: 'engine daemon',
    log: join(paths.root, 'logs/engine.log'),
    ready: /^engine ready /,
    command: () => engineCommand(paths, user),
    say: console.error,
    giveUp: () => {},
  });
  await engine.start();
  try {
    return await work();
  } finally {
    await engine.stop();
  }
}
