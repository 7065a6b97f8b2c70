// The set-up: says what lacks and why, then installs and builds it. `npm start` runs it every time; when nothing changed it
// only compares hashes.
import { existsSync } from 'node:fs';
import { LAB_TARGETS, buildSteps } from './build-steps.mjs';
import { dependenciesInstalled } from './dependencies.mjs';
import { hostFacts, hostProblems } from './host-checks.mjs';
import { installPackages, missingPackages } from './host-packages.mjs';
import { imageStep } from './image/step.mjs';
import { recordInJournal } from './journal.mjs';
import { projectRoot } from './paths.mjs';
import { Stamps, runSteps } from './steps.mjs';
import { SetupError } from './tool.mjs';

/**
 * Throws SetupError with every reason why the set-up can't begin on this machine.
 * @param {import('./paths.mjs').InstancePaths} paths
 */
export function checkHost(paths) {
  const stamps = new Stamps();
  const problems = hostProblems(
    hostFacts(paths, projectRoot, {
      installs: !dependenciesInstalled(),
      builds: stamps.read('web') === null,
      makesImage: !existsSync(paths.imagePointer),
    }),
  );
  if (problems.length > 0) throw new SetupError(problems.join('\n'));
}

/**
 * Brings everything that `npm start` needs up to date.
 * @param {import('./paths.mjs').InstancePaths} paths @param {import('./progress.mjs').Progress} progress
 */
export async function setUp(paths, progress) {
  const missing = missingPackages();
  announce(missing, progress);
  const packages = packagesStep(paths, missing);
  const needs = packages.map(({ id }) => id);
  const image = imageStep(paths);
  const steps = buildSteps(LAB_TARGETS).map((step) => (step.id === 'launch' ? { ...step, needs } : step));
  return await runSteps([...packages, { ...image, needs }, ...steps], progress);
}

/**
 * The step that installs what lacks; none where nothing does.
 * @param {import('./paths.mjs').InstancePaths} paths @param {import('./host-packages.mjs').HostPackage[]} missing
 * @returns {import('./steps.mjs').Step[]}
 */
export function packagesStep(paths, missing) {
  if (missing.length === 0) return [];
  return [
    {
      id: 'host-packages',
      title: 'Debian packages',
      key: () => null,
      run: async (note) => {
        recordInJournal(paths.journal, { packages: missing.map(({ name }) => name) });
        await installPackages(missing, note);
      },
    },
  ];
}

/** @param {import('./host-packages.mjs').HostPackage[]} missing @param {import('./progress.mjs').Progress} progress */
function announce(missing, progress) {
  if (missing.length > 0) {
    progress.line('These Debian packages will be installed:');
    const width = Math.max(...missing.map(({ name }) => name.length));
    for (const { name, why } of missing) progress.line(`  ${name.padEnd(width)}  ${why}`);
  }
  if (!dependenciesInstalled()) {
    progress.line(
      'The npm packages that package-lock.json names will be installed into node_modules/, without their install scripts.',
    );
  }
}
