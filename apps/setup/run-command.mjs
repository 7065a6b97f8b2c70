// Sets up what one command needs, then becomes that command: the engine alone, the doctor, the lessons' tools.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildSteps, ptyStep } from './build-steps.mjs';
import { clientsFolder, clientsStep, SUITE_CLIENTS } from './clients.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { doctor } from './doctor.mjs';
import { reportFailure } from './failure.mjs';
import { hostProblems, hostFacts } from './host-checks.mjs';
import { missingPackages } from './host-packages.mjs';
import { imageStep } from './image/step.mjs';
import { ensureLabUser } from './lab-user.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { preview } from './preview.mjs';
import { Progress } from './progress.mjs';
import { engineCommand } from './server-jail.mjs';
import { packagesStep } from './set-up.mjs';
import { prepareFolders } from './start-lab.mjs';
import { runSteps } from './steps.mjs';
import { SetupError } from './tool.mjs';

/** @param {string | undefined} name @param {string[]} argv */
export async function runCommand(name, argv) {
  try {
    if (name === 'doctor') await doctor(argv);
    else if (name === 'engine') process.exitCode = await runEngine(argv);
    else if (name === 'lessons') process.exitCode = await runLessons(argv);
    else if (name === 'conformance') process.exitCode = await runConformance(argv);
    else if (name === 'bench' || name === 'soak') process.exitCode = await runOnBundle(name, argv);
    else
      throw new SetupError(
        `Cannot run "${name ?? ''}": there is no such command. Commands: engine, doctor, lessons, conformance, bench, soak.`,
      );
  } catch (error) {
    reportFailure(error);
    process.exitCode = 1;
  }
}

/** The daemon alone, in the foreground: its own standard output, so "engine ready unix://…" is the line that says so. @param {string[]} argv */
async function runEngine(argv) {
  const paths = instancePaths(process.env);
  const problems = hostProblems(hostFacts(paths, projectRoot, { installs: false, builds: false, makesImage: false }));
  if (problems.length > 0) throw new SetupError(problems.join('\n'));
  process.umask(0o022);
  const packages = packagesStep(paths, missingPackages());
  const needs = packages.map(({ id }) => id);
  const steps = [
    ...packages,
    { ...imageStep(paths), needs },
    ...buildSteps(['launch', 'engine']).map((step) => (step.id === 'launch' ? { ...step, needs } : step)),
  ];
  await runSteps(steps, new Progress(process.stderr));
  const user = await ensureLabUser(paths.journal);
  prepareFolders(paths, user);
  const { command, args, env } = engineCommand(paths, user);
  return await become(command, [...args, ...argv], { ...process.env, ...env });
}

/** @param {string[]} argv */
async function runLessons(argv) {
  if (argv[0] === 'preview') return await preview(argv.slice(1), become);
  // Solving types at real terminals.
  const needed = argv[0] === 'solve' ? [dependenciesStep, ptyStep] : [dependenciesStep];
  await runSteps(needed, new Progress(process.stderr));
  return await become(
    process.execPath,
    ['--import', 'tsx', join(projectRoot, 'apps/server/src/lessons/main.ts'), ...argv],
    process.env,
  );
}

/** Other people's suites against the engine of this source tree. @param {string[]} argv */
async function runConformance(argv) {
  const needed = [...buildSteps(['launch']), dependenciesStep, clientsStep(SUITE_CLIENTS)];
  await runSteps(needed, new Progress(process.stderr));
  const main = join(projectRoot, 'apps/conformance/main.ts');
  const args = ['--import', 'tsx', main, '--peers', clientsFolder, ...argv];
  return await become(process.execPath, args, process.env);
}

/** The benchmark and the long runs: against the engine as it is built, not the source tree. @param {'bench' | 'soak'} name @param {string[]} argv */
async function runOnBundle(name, argv) {
  await runSteps(buildSteps(['launch', 'engine']), new Progress(process.stderr));
  const main = join(projectRoot, 'apps', name, 'main.ts');
  return await become(process.execPath, ['--import', 'tsx', main, ...argv], process.env);
}

/** Runs a program in this one's place: its input and output, its signals, its exit code. @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} env */
function become(command, args, env) {
  return new Promise((/** @type {(code: number) => void} */ resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env });
    // The terminal sends Ctrl-C to the whole group: the child has it already, and this process only waits for it.
    process.on('SIGINT', () => {});
    for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}
