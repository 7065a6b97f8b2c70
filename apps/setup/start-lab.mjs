// `npm start` after the check of Node: set-up, then the engine daemon (root) and the lab server (drydock-lab), until Ctrl-C.
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PROFILE_FILE, ensureProfile } from './app-armor.mjs';
import { probeStep } from './build-steps.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { makeCodeReadable } from './code-readable.mjs';
import { listSandboxes } from './engine-client.mjs';
import { reportFailure } from './failure.mjs';
import { collectImages, readPointer } from './image/store.mjs';
import { harden } from './harden.mjs';
import { readJournal } from './journal.mjs';
import { ensureLabUser } from './lab-user.mjs';
import { findListener } from './listener.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { loadProbe } from './probe.mjs';
import { Progress } from './progress.mjs';
import { readRunning, removeRunning, writeRunning } from './running.mjs';
import { CODE_PARTS, engineCommand, jailRoot, serverCommand } from './server-jail.mjs';
import { checkHost, setUp } from './set-up.mjs';
import { activeUnits, installService, requireSystemd } from './service.mjs';
import { runSteps } from './steps.mjs';
import { USAGE, labUrl, parseStartOptions } from './start-options.mjs';
import { stopEverything } from './stop.mjs';
import { Supervised } from './supervisor.mjs';
import { SetupError } from './tool.mjs';

/** @param {string[]} argv */
export async function startLab(argv) {
  try {
    const options = parseStartOptions(argv);
    const paths = instancePaths(process.env);
    if (options.help) console.log(USAGE);
    else if (options.stop) await stopEverything(paths);
    else await serve(options, paths);
  } catch (error) {
    reportFailure(error);
    process.exitCode = 1;
  }
}

/** @param {import('./start-options.mjs').StartOptions} options @param {import('./paths.mjs').InstancePaths} paths */
async function serve(options, paths) {
  const running = readRunning(paths.runningFile);
  if (running) {
    console.log(`Drydock runs already: ${running.url} (process ${running.pid}). "npm start -- --stop" ends it.`);
    return;
  }
  const active = await activeUnits(readJournal(paths.journal).units);
  if (active.length > 0 && !options.service) {
    console.log(`Drydock runs already, as a service: "systemctl status ${active.join(' ')}" shows it.`);
    return;
  }
  if (options.service) requireSystemd();
  checkHost(paths);
  if (active.length === 0) await checkPort(options);
  // What is written here must be readable by the lab server's user, whatever the caller's umask.
  process.umask(0o022);
  const progress = new Progress();
  await setUp(paths, progress);
  if (await makeCodeReadable(projectRoot, CODE_PARTS)) {
    progress.line(
      'Files of this clone were readable to root alone; those that the lab server runs are now readable to all.',
    );
  }
  const user = await ensureLabUser(paths.journal);
  if (await ensureProfile(paths.journal)) progress.line(`An AppArmor profile was installed: ${PROFILE_FILE}`);
  if (options.harden) await hardenHost(paths, progress);
  prepareFolders(paths, user);
  collectOldImages(paths);
  if (options.service) await serveAsService(options, paths, user);
  else await run(options, paths, user);
}

/** Images that no sandbox can be using, because none runs. @param {import('./paths.mjs').InstancePaths} paths */
function collectOldImages(paths) {
  const running = join(paths.run, 'sandboxes');
  const image = readPointer(paths.imagePointer);
  if (image && (!existsSync(running) || readdirSync(running).length === 0)) collectImages(paths.images, image.hash);
}

/** @param {import('./paths.mjs').InstancePaths} paths @param {Progress} progress */
async function hardenHost(paths, progress) {
  await runSteps([dependenciesStep, probeStep], progress);
  harden((await loadProbe()).probeSysctls(), paths.journal, (text) => progress.line(text));
}

/**
 * @param {import('./start-options.mjs').StartOptions} options @param {import('./paths.mjs').InstancePaths} paths
 * @param {{ uid: number, gid: number }} user
 */
async function serveAsService(options, paths, user) {
  const units = await installService(paths, options, user);
  const url = labUrl(options);
  await answers(url);
  console.log(
    `\nDrydock is ready: ${url}\nIt runs as ${units.join(' and ')}, now and after each boot. "npm run uninstall" removes it.`,
  );
}

/** Throws SetupError that names who holds the port. @param {{ host: string, port: number }} options */
async function checkPort({ host, port }) {
  const free = await new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
  if (free) return;
  const holder = findListener(port);
  const who = holder ? `process ${holder.pid} ("${holder.command}") listens there` : 'another program listens there';
  throw new SetupError(
    `Cannot listen on ${host}:${port}: ${who}. End it, or choose another port: npm start -- --port ${port + 1}`,
  );
}

/** @param {import('./paths.mjs').InstancePaths} paths @param {{ uid: number, gid: number }} user */
export function prepareFolders(paths, user) {
  // Passable but not listable: lab.sock's folder is bound into the server's view by root, and nobody else needs to look in.
  for (const folder of [paths.root, paths.run]) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
  }
  mkdirSync(jailRoot(paths), { recursive: true });
  mkdirSync(paths.labData, { recursive: true });
  chmodSync(paths.labData, 0o700);
  chownSync(paths.labData, user.uid, user.gid);
}

/**
 * @param {import('./start-options.mjs').StartOptions} options @param {import('./paths.mjs').InstancePaths} paths
 * @param {{ uid: number, gid: number }} user
 */
async function run(options, paths, user) {
  const url = labUrl(options);
  let stopping = false;
  /** @param {number} code */
  const stop = async (code) => {
    if (stopping) process.exit(130);
    stopping = true;
    await stopProcesses(paths, server, engine);
    removeRunning(paths.runningFile);
    process.exit(code);
  };
  const shared = {
    say: (/** @type {string} */ text) => console.error(text),
    giveUp: (/** @type {Error} */ error) => {
      reportFailure(error);
      void stop(1);
    },
  };
  const engine = new Supervised({
    ...shared,
    title: 'engine daemon',
    log: join(paths.root, 'logs/engine.log'),
    ready: /^engine ready /,
    command: () => engineCommand(paths, user),
  });
  const server = new Supervised({
    ...shared,
    title: 'lab server',
    log: join(paths.root, 'logs/server.log'),
    ready: /^lab ready /,
    command: () => serverCommand(paths, user, options, process.env),
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => void stop(0));
  writeRunning(paths.runningFile, url);
  try {
    // Side by side: the server asks for the engine only when a page does.
    await Promise.all([engine.start(), server.start()]);
    await answers(url);
  } catch (error) {
    reportFailure(error);
    await stop(1);
  }
  console.log(`\nDrydock is ready: ${url}\nCtrl-C stops it.`);
}

/** @param {string} url */
async function answers(url) {
  const deadline = Date.now() + 30_000;
  let status = 0;
  while (status === 0) {
    try {
      ({ status } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(30_000) }));
    } catch (error) {
      if (Date.now() > deadline)
        throw new SetupError(`The lab server does not serve: GET ${url}/healthz: ${String(error)}.`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  if (status !== 200) throw new SetupError(`The lab server does not serve: GET ${url}/healthz answered ${status}.`);
}

/** @param {import('./paths.mjs').InstancePaths} paths @param {Supervised} server @param {Supervised} engine */
async function stopProcesses(paths, server, engine) {
  const sandboxes = engine.pid === null ? null : await listSandboxes(paths.labSocket);
  const alive = (sandboxes ?? []).filter(({ state }) => state === 'running' || state === 'frozen').length;
  await server.stop();
  await engine.stop();
  console.log('\nThe lab and the engine have stopped.');
  if (alive > 0) {
    const go =
      alive === 1 ? '1 sandbox goes on without them, and is' : `${alive} sandboxes go on without them, and are`;
    console.log(`${go} there again with the next "npm start". To end them: npm start -- --stop`);
  }
}
