// `npm run conformance`: runs suites that somebody else wrote, from the user's own checkouts, against our engine (or another one);
// prints a table; exits 1 when a test that must pass does not. Nothing of the suites is in this project, only names of tests.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { TestDaemon } from '../../engine/src/testing/daemon.ts';
import { undoing } from '../bench/interrupted.ts';
import { dockerPy } from './docker-py.ts';
import { apiVersionOf, loadImages } from './images.ts';
import { conformanceOptions, type ConformanceOptions } from './options.ts';
import { podmanApi } from './podman-apiv2.ts';
import { brokenOf, countByFile, countTable, idsOf, newlyPassing, type TestResult } from './result.ts';
import type { Suite, Target } from './suite.ts';
import { unpackedEnv } from './unpacked.ts';

const SUITES: readonly Suite[] = [dockerPy, podmanApi];
const listOf = (suite: Suite) => join(import.meta.dirname, 'must-pass', `${suite.id}.txt`);

async function main(): Promise<number> {
  const options = conformanceOptions(
    process.argv.slice(2),
    SUITES.map(({ id }) => id),
  );
  const suites = SUITES.filter(({ id }) => options.only.includes(id));
  const folderOf = (suite: Suite) => join(resolve(options.suites), suite.folder);
  const absent = suites.filter((suite) => !existsSync(folderOf(suite)));
  if (absent.length > 0)
    throw new Error(
      absent.map((suite) => `Cannot run ${suite.id}: "${folderOf(suite)}" is absent. Get ${suite.source}.`).join('\n'),
    );
  const results: TestResult[] = [];
  for (const suite of suites) results.push(...(await runSuite(suite, folderOf(suite), options)));
  console.log(`\n${countTable(countByFile(results))}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  return suites.map((suite) => judge(suite, results, options)).some((broken) => broken) ? 1 : 0;
}

/** Each suite has an engine of its own: what one leaves behind is not the next one's. */
async function runSuite(suite: Suite, folder: string, options: ConformanceOptions): Promise<TestResult[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'drydock-conformance-'));
  const images = suite.images();
  const daemon = options.socket === null ? await TestDaemon.start({ learners: false }) : null;
  const results: TestResult[] = [];
  const takeAway = undoing(async () => {
    await daemon?.end();
    for (const image of images) image.remove();
    if (process.env['DRYDOCK_KEEP'] === undefined) rmSync(scratch, { recursive: true, force: true });
    else console.log(`Logs of the suite: ${scratch}`);
  });
  try {
    const socket = options.socket ?? daemon?.engineSocket ?? '';
    const env = {
      ...unpackedEnv(options.peers === null ? null : resolve(options.peers), process.env),
      DOCKER_HOST: `unix://${socket}`,
      DOCKER_CONFIG: scratch,
      TMPDIR: scratch,
    };
    const target: Target = {
      socket,
      env,
      scratch,
      apiVersion: await apiVersionOf(socket),
      enter: options.enter === null ? [] : ['nsenter', '--net', `--target=${options.enter}`],
      load: () => loadImages(socket, images),
    };
    await target.load();
    await suite.run(folder, target, options.filter, (result) => {
      results.push(result);
      const why = result.outcome === 'failed' ? `: ${result.detail?.split('\n')[0] ?? ''}` : '';
      console.log(`${result.outcome.padEnd(7)} ${result.id}${why}`);
    });
  } finally {
    await takeAway();
  }
  return results;
}

/** Says which tests that must pass did not. True when there is one. */
function judge(suite: Suite, all: readonly TestResult[], options: ConformanceOptions): boolean {
  const list = listOf(suite);
  const text = existsSync(list) ? readFileSync(list, 'utf8') : '';
  const results = all.filter((result) => result.suite === suite.id);
  const files = new Set(results.map(({ file }) => file));
  const asked = (id: string) => options.filter === '' || [...files].some((file) => id.includes(file));
  const broken = brokenOf(idsOf(text), results, asked);
  const fresh = newlyPassing(idsOf(text), results);
  if (options.update && fresh.length > 0) {
    const comments = text.split('\n').filter((line) => line.startsWith('#'));
    writeFileSync(list, `${[...comments, ...[...idsOf(text), ...fresh].sort()].join('\n')}\n`);
  }
  for (const { id, reason } of broken) console.log(`MUST PASS, BUT DOES NOT: ${id} (${reason.split('\n')[0]})`);
  console.log(
    `${suite.id}: ${broken.length} of ${idsOf(text).length} that must pass do not; ${fresh.length} pass that ${options.update ? 'were' : 'are not'} ${options.update ? 'added to' : 'on'} the list.`,
  );
  return broken.length > 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
