// `npm test`: sets up what is missing, then runs every check in order and prints one plain count as its last line.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
process.chdir(root);
const scratch = mkdtempSync(join(tmpdir(), 'drydock-test-'));
const count = { passed: 0, failed: 0, skipped: 0 };

/** @param {string} name @param {string} command @param {string[]} args */
function run(name, command, args) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(error.message);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return status === 0;
}

/** A check that either passes or fails as a whole. @param {string} name @param {string} command @param {string[]} args */
function check(name, command, args) {
  if (run(name, command, args)) count.passed += 1;
  else count.failed += 1;
}

/** A vitest project, counted test by test. @param {string} project */
function vitest(project) {
  const file = join(scratch, `${project}.json`);
  const args = ['vitest', 'run', '--project', project, '--passWithNoTests=false'];
  const ok = run(project, 'npx', [...args, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  const result = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  count.passed += result?.numPassedTests ?? 0;
  count.skipped += result?.numPendingTests ?? 0;
  count.failed += Math.max(result?.numFailedTests ?? 0, ok ? 0 : 1);
}

if (!existsSync('node_modules/.package-lock.json')) {
  if (!run('npm ci', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])) process.exit(1);
}
check('format', 'npx', ['prettier', '--check', '.']);
check('lint', 'npx', ['oxlint', '--type-aware', '--deny-warnings']);
check('types', 'npx', ['tsc', '--noEmit']);
vitest('unit');

rmSync(scratch, { recursive: true, force: true });
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`);
process.exit(count.failed > 0 ? 1 : 0);
