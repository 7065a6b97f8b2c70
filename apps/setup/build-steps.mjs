// The steps that turn a clone into something that runs: npm packages, launch, bundles, the Prisma client, the web app.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { launchArguments } from '../../engine/native/compile.mjs';
import { bundle } from './bundle.mjs';
import { contentHash } from './content-hash.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { generatePrismaClient } from './generate.mjs';
import { buildFolder, projectRoot } from './paths.mjs';
import { runTool } from './tool.mjs';

/** @typedef {import('./steps.mjs').Step} Step */
/** @typedef {'launch' | 'engine' | 'server' | 'web' | 'pty'} BuildTarget */

/** What `npm start` runs on. @type {BuildTarget[]} */
export const LAB_TARGETS = ['launch', 'engine', 'server', 'web'];

/** @type {BuildTarget[]} */
export const BUILD_TARGETS = [...LAB_TARGETS, 'pty'];

const PLATFORM = [process.version, process.arch];
const LOCK = 'package-lock.json';

/** @param {string} path */
const inBuild = (path) => existsSync(join(buildFolder, path));

/** @type {Step} */
const launchStep = {
  id: 'launch',
  title: 'launch (C)',
  key: () => contentHash(projectRoot, ['engine/native'], [process.arch]),
  stands: () => inBuild('launch'),
  run: async () => {
    mkdirSync(buildFolder, { recursive: true });
    const made = join(buildFolder, `launch.${process.pid}`);
    await runTool('cc', launchArguments(made), {
      log: join(buildFolder, 'logs/launch.log'),
      advice: 'It needs a C compiler and the kernel’s headers (Debian: gcc, linux-libc-dev).',
    });
    renameSync(made, join(buildFolder, 'launch'));
  },
};

/** @type {Step} */
const engineStep = {
  id: 'engine',
  title: 'engine bundle',
  needs: ['npm'],
  key: () => contentHash(projectRoot, ['engine/src', 'engine/package.json', 'apps/setup/bundle.mjs', LOCK], PLATFORM),
  stands: () => inBuild('engine.mjs'),
  run: () => bundle({ engine: 'engine/src/main.ts' }),
};

/** What `npm run doctor` asks the kernel with: apart from the daemon, so that it works where the daemon can't be built. @type {Step} */
export const probeStep = {
  id: 'probe',
  title: 'kernel probes',
  needs: ['npm'],
  key: () =>
    contentHash(projectRoot, ['engine/src/kernel', 'engine/src/model', 'apps/setup/bundle.mjs', LOCK], PLATFORM),
  stands: () => inBuild('probe.mjs'),
  run: () => bundle({ probe: 'engine/src/kernel/probe.ts' }),
};

/**
 * node-pty, which types at terminals for `npm run lessons -- solve` and the tests: the one package that is compiled here. The lab
 * itself never loads it. @type {Step}
 */
export const ptyStep = {
  id: 'pty',
  title: 'node-pty (C++)',
  needs: ['npm'],
  key: () => null,
  done: () => existsSync(join(projectRoot, 'node_modules/node-pty/build/Release/pty.node')),
  run: async () => {
    await runTool('npm', ['rebuild', 'node-pty', '--no-audit', '--no-fund'], {
      cwd: projectRoot,
      log: join(buildFolder, 'logs/pty.log'),
      advice: 'It needs a C++ compiler, make and Python (Debian: g++, make, python3), and Node’s header files.',
    });
  },
};

/** @type {Step} */
const prismaStep = {
  id: 'prisma',
  title: 'Prisma client',
  needs: ['npm'],
  key: () => contentHash(projectRoot, ['prisma', 'prisma.config.ts', LOCK]),
  stands: () => existsSync(join(projectRoot, 'prisma/generated/client.ts')),
  run: generatePrismaClient,
};

/** @type {Step} */
const serverStep = {
  id: 'server',
  title: 'lab server bundle',
  needs: ['npm', 'prisma'],
  key: () =>
    contentHash(
      projectRoot,
      [
        'apps/server',
        'apps/protocol',
        'engine/src/model',
        'engine/src/api/lab',
        'prisma',
        'apps/setup/bundle.mjs',
        LOCK,
      ],
      PLATFORM,
    ),
  stands: () => inBuild('server.mjs'),
  run: () => bundle({ server: 'apps/server/src/main.ts' }),
};

/** @type {Step} */
const webStep = {
  id: 'web',
  title: 'web app',
  needs: ['npm'],
  key: () =>
    contentHash(
      projectRoot,
      ['apps/web', 'apps/protocol', 'engine/src/model', 'engine/src/api/lab', 'tsconfig.json', LOCK],
      PLATFORM,
    ),
  stands: () => existsSync(join(projectRoot, 'apps/web/.next/BUILD_ID')),
  run: async (note) => {
    await runTool(process.execPath, [join(projectRoot, 'node_modules/next/dist/bin/next'), 'build'], {
      cwd: join(projectRoot, 'apps/web'),
      env: { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
      log: join(buildFolder, 'logs/web.log'),
      onLine: (line) => note(line.trim().slice(0, 40)),
      advice: 'The lines below are Next.js’s. Less than 2 GB of free memory is a common reason.',
    });
  },
};

/**
 * The steps for these targets, those they need included, in order.
 * @param {BuildTarget[]} targets
 * @returns {Step[]}
 */
export function buildSteps(targets) {
  const wanted = new Set(targets);
  /** @type {Step[]} */
  const steps = [];
  if (wanted.has('launch')) steps.push(launchStep);
  if (wanted.size > (wanted.has('launch') ? 1 : 0)) steps.push(dependenciesStep);
  if (wanted.has('engine')) steps.push(engineStep);
  if (wanted.has('server')) steps.push(prismaStep, serverStep);
  if (wanted.has('web')) steps.push(webStep);
  if (wanted.has('pty')) steps.push(ptyStep);
  return steps;
}
