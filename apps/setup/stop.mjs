// `npm start -- --stop`: ends the lab, the engine and every sandbox of this instance; sandboxes' files are kept.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { engineArguments, engineEnvironment } from './server-jail.mjs';
import { readJournal } from './journal.mjs';
import { buildFolder } from './paths.mjs';
import { readRunning } from './running.mjs';
import { activeUnits } from './service.mjs';
import { SetupError, runTool } from './tool.mjs';

/** @param {import('./paths.mjs').InstancePaths} paths */
export async function stopEverything(paths) {
  const units = await activeUnits(readJournal(paths.journal).units);
  if (units.length > 0) await runTool('systemctl', ['stop', ...units]);
  const stopped = (await stopRunning(paths)) || units.length > 0;
  await tearDown(paths);
  console.log(stopped ? 'The lab and the engine have stopped.' : 'Neither the lab nor the engine was running.');
  console.log('No sandbox runs; their files are kept.');
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
 * Has the engine end all sandboxes and take back its control groups, links and rules. Call it when no daemon runs. Does nothing
 * where the engine was never built.
 * @param {import('./paths.mjs').InstancePaths} paths
 */
export async function tearDown(paths) {
  if (!existsSync(join(buildFolder, 'engine.mjs')) || !existsSync(paths.root)) return;
  await runTool(process.execPath, [...engineArguments(), '--tear-down'], {
    env: engineEnvironment(paths, { gid: 0 }),
    log: join(buildFolder, 'logs/tear-down.log'),
  });
}
