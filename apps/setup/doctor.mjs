// `npm run doctor [-- --json]`: what this host has and lacks, and how to get it. Exit code 1 when the lab can't run here.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { userNamespacesRestricted, PROFILE_FILE } from './app-armor.mjs';
import { probeStep } from './build-steps.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { formatReport, labCanRun } from './doctor-report.mjs';
import { reportFailure } from './failure.mjs';
import { foreignRows, runningCommands, ufwEnabled } from './foreign.mjs';
import { freeBytes, hostFacts, hostProblems, memoryAvailableBytes } from './host-checks.mjs';
import { HOST_PACKAGES, hasApt, missingPackages } from './host-packages.mjs';
import { readPointer } from './image/store.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { loadProbe } from './probe.mjs';
import { Progress } from './progress.mjs';
import { readRunning } from './running.mjs';
import { runSteps } from './steps.mjs';

/** @typedef {import('./doctor-report.mjs').Row} Row */

/** @param {string[]} argv */
export async function doctor(argv) {
  try {
    const { values } = parseArgs({ args: argv, options: { json: { type: 'boolean' } } });
    const paths = instancePaths(process.env);
    const rows = [
      ...machineRows(paths),
      ...packageRows(),
      ...(await kernelRows()),
      ...stateRows(paths),
      ...foreignRows(runningCommands(), ufwEnabled()),
    ];
    const ok = labCanRun(rows);
    console.log(values.json ? JSON.stringify({ ok, rows }, null, 2) : formatReport(rows));
    process.exitCode = ok ? 0 : 1;
  } catch (error) {
    reportFailure(error);
    process.exitCode = 1;
  }
}

/** @param {import('./paths.mjs').InstancePaths} paths @returns {Row[]} */
function machineRows(paths) {
  const section = 'Machine';
  const problems = hostProblems(
    hostFacts(paths, projectRoot, { installs: false, builds: false, makesImage: !existsSync(paths.imagePointer) }),
  );
  /** @param {number} bytes */
  const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return [
    { section, id: 'node', state: 'ok', why: `${process.version} (${process.execPath})`, howToGet: '' },
    {
      section,
      id: 'system',
      state: 'ok',
      why: `${process.platform}, ${process.arch}, uid ${process.getuid?.()}`,
      howToGet: '',
    },
    { section, id: 'disk', state: 'ok', why: `${gib(freeBytes(paths.root))} free for ${paths.root}`, howToGet: '' },
    {
      section,
      id: 'memory',
      state: 'ok',
      why: `${gib(memoryAvailableBytes())} available; a sandbox may take 0.5 GiB`,
      howToGet: '',
    },
    ...problems.map((why) => ({
      section,
      id: 'in the way',
      state: /** @type {const} */ ('missing'),
      why,
      howToGet: '',
    })),
  ];
}

/** @returns {Row[]} */
function packageRows() {
  const missing = new Set(missingPackages().map(({ name }) => name));
  return HOST_PACKAGES.map(({ name, why }) => ({
    section: 'Programs (by Debian’s package names)',
    id: name,
    state: !missing.has(name) ? 'ok' : hasApt() ? 'lax' : 'missing',
    why,
    howToGet: hasApt() ? '"npm start" installs it' : 'docker-free-setup.md names the package of each distribution',
  }));
}

/** What the kernel says when it is tried. Without root it would refuse nearly everything, which says nothing. @returns {Promise<Row[]>} */
async function kernelRows() {
  if (process.getuid?.() !== 0) return [];
  await runSteps([dependenciesStep, probeStep], new Progress(process.stderr));
  const { probeAll, probeSysctls } = await loadProbe();
  /** @type {Row[]} */
  const features = probeAll().map(({ id, present, needed, why, howToGet }) => ({
    section: needed ? 'Kernel: the lab needs' : 'Kernel: single lessons need',
    id,
    state: present ? 'ok' : needed ? 'missing' : 'lax',
    why,
    howToGet,
  }));
  /** @type {Row[]} */
  const settings = probeSysctls().map(({ key, present, wanted, met, value, why }) => ({
    section: 'Kernel settings for a class of strangers',
    id: key,
    state: met ? 'ok' : 'lax',
    why: `${present ?? 'not in this kernel'}${met ? '' : `, wanted: ${wanted}`} (${why})`,
    howToGet:
      value === null
        ? 'only the owner of this machine can decide'
        : '"npm start -- --harden" sets it and records what was before',
  }));
  return [
    ...features.filter(({ section }) => section.endsWith('the lab needs')),
    ...features.filter(({ section }) => section.startsWith('Kernel: single')),
    ...settings,
    ...appArmorRows(),
  ];
}

/** @returns {Row[]} */
function appArmorRows() {
  if (!userNamespacesRestricted()) return [];
  const loaded = existsSync(PROFILE_FILE);
  const why = 'this kernel gives capabilities in user namespaces only to programs with a profile';
  return [
    {
      section: 'AppArmor',
      id: 'profile drydock',
      state: loaded ? 'ok' : 'lax',
      why,
      howToGet: '"npm start" installs one',
    },
  ];
}

/** @param {import('./paths.mjs').InstancePaths} paths @returns {Row[]} */
function stateRows(paths) {
  const section = 'This instance';
  const image = readPointer(paths.imagePointer);
  const running = readRunning(paths.runningFile);
  return [
    { section, id: 'root', state: 'note', why: paths.root, howToGet: '' },
    image
      ? {
          section,
          id: 'image',
          state: 'ok',
          why: `${Math.round(image.sizeBytes / 2 ** 20)} MiB, made ${image.builtAt}`,
          howToGet: '',
        }
      : { section, id: 'image', state: 'note', why: 'not made yet', howToGet: '"npm start" makes it' },
    {
      section,
      id: 'lab',
      state: 'note',
      why: running ? `runs at ${running.url}` : 'does not run in a terminal',
      howToGet: '',
    },
  ];
}
