// `npm test`: sets up what is missing, then runs every check in order and prints one plain count as its last line.
// `npm test -- unit kernel` runs only the checks of these names.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_TARGETS, buildSteps } from './build-steps.mjs';
import { clientsStep, TEST_CLIENTS } from './clients.mjs';
import { reportFailure } from './failure.mjs';
import { findProgram, HOST_PACKAGES, installPackages } from './host-packages.mjs';
import { imageStep } from './image/step.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { Progress } from './progress.mjs';
import { runSteps } from './steps.mjs';

/** What only the tests use: tools whose view of the kernel is compared with ours, and a browser. */
const TEST_PACKAGES = [
  ...HOST_PACKAGES,
  { name: 'iproute2', why: 'says what links, addresses and routes there are', programs: ['ip', 'tc', 'bridge'] },
  { name: 'nftables', why: 'says what packet rules there are', programs: ['nft'] },
  { name: 'iputils-ping', why: 'sends packets between test namespaces', programs: ['ping'] },
  { name: 'procps', why: 'says what processes there are', programs: ['ps', 'pgrep'] },
  {
    name: 'python3',
    why: 'makes unusual system calls, and runs a client of Docker’s API',
    programs: ['python3'],
    files: ['/var/lib/dpkg/info/python3.list'], // python3-minimal has the program, too, and lacks half of the library
  },
  { name: 'busybox-static', why: 'is the root file system of test containers', programs: ['busybox'] },
  {
    name: 'runc',
    why: 'is a runtime that the engine drives, and what its own containers are compared with',
    programs: ['runc'],
  },
  { name: 'crun', why: 'is another such runtime', programs: ['crun'] },
  { name: 'chromium', why: 'takes the lesson as a learner does', programs: ['chromium'] },
];

process.chdir(projectRoot);
const scratch = mkdtempSync(join(tmpdir(), 'drydock-test-'));
const count = { passed: 0, failed: 0, skipped: 0 };

/** @param {string} name @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
function run(name, command, args, env = {}) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) console.error(error.message);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return status === 0;
}

/** A check that passes or fails as a whole. @param {string} name @param {string[]} args of npx */
function whole(name, args) {
  if (run(name, 'npx', args)) count.passed += 1;
  else count.failed += 1;
}

/** @param {string} file @returns {any} what a runner wrote, or null when it died before */
const written = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null);

/** A vitest project, counted test by test. @param {string} project */
function vitest(project) {
  const file = join(scratch, `${project}.json`);
  const args = ['vitest', 'run', '--project', project, '--reporter=default', '--reporter=json'];
  const ok = run(project, 'npx', [...args, `--outputFile.json=${file}`]);
  const result = written(file);
  count.passed += result?.numPassedTests ?? 0;
  count.skipped += result?.numPendingTests ?? 0;
  count.failed += Math.max(result?.numFailedTests ?? 0, ok ? 0 : 1);
}

/** Playwright, in the machine's Chromium. */
function endToEnd() {
  const file = join(scratch, 'e2e.json');
  const ok = run('e2e', 'npx', ['playwright', 'test', '--reporter=list,json'], { PLAYWRIGHT_JSON_OUTPUT_NAME: file });
  const { expected = 0, unexpected = 0, flaky = 0, skipped = 0 } = written(file)?.stats ?? {};
  count.passed += expected;
  count.skipped += skipped;
  count.failed += Math.max(unexpected + flaky, ok ? 0 : 1);
}

/** The emulated guest; its last line is its own plain count. */
function guest() {
  console.log('\n== guest');
  const { stdout, status } = spawnSync(process.execPath, ['apps/setup/guest-test.mjs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  process.stdout.write(stdout);
  const [, passed = 0, failed = 0, skipped = 0] =
    /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(stdout)?.map(Number) ?? [];
  count.passed += passed;
  count.skipped += skipped;
  count.failed += Math.max(failed, status === 0 ? 0 : 1);
}

/** @type {Record<string, () => void>} */
const CHECKS = {
  format: () => whole('format', ['prettier', '--check', '.']),
  lint: () => whole('lint', ['oxlint', '--type-aware', '--deny-warnings']),
  types: () => whole('types', ['tsc', '--noEmit']),
  unit: () => vitest('unit'),
  kernel: () => vitest('kernel'),
  api: () => vitest('api'),
  guest,
  e2e: endToEnd,
};

async function setUp() {
  const missing = TEST_PACKAGES.filter(
    ({ programs, files = [] }) => !programs.every((program) => findProgram(program)) || !files.every(existsSync),
  );
  const packages = {
    id: 'packages',
    title: 'Debian packages',
    key: () => null,
    done: () => missing.length === 0,
    /** @param {(text: string) => void} note */
    run: (note) => installPackages(missing, note),
  };
  const needs = ['packages'];
  await runSteps(
    [
      packages,
      { ...clientsStep(TEST_CLIENTS), needs },
      { ...imageStep(instancePaths(process.env)), needs },
      ...buildSteps(BUILD_TARGETS).map((step) => ({ ...step, needs: [...(step.needs ?? []), ...needs] })),
    ],
    new Progress(),
  );
}

const named = process.argv.slice(2);
const unknown = named.find((name) => !(name in CHECKS));
if (unknown !== undefined) {
  console.error(
    `Cannot run check "${unknown}": there is none of this name. Checks: ${Object.keys(CHECKS).join(', ')}.`,
  );
  process.exit(2);
}
try {
  await setUp();
  for (const [name, check] of Object.entries(CHECKS)) if (named.length === 0 || named.includes(name)) check();
} catch (error) {
  reportFailure(error);
  count.failed += 1;
}
rmSync(scratch, { recursive: true, force: true });
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`);
process.exit(count.failed > 0 ? 1 : 0);
