// Bundles every *.guest.test.ts with vitest's runner into one folder of ES modules that share their chunks.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BANNER, workerEntries } from '../bundle.mjs';
import { buildFolder, projectRoot } from '../paths.mjs';
import { SetupError, runTool } from '../tool.mjs';

/** Paths of the tests, in the clone. @returns {string[]} */
export function guestTests() {
  return readdirSync(join(projectRoot, 'engine/src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.guest.test.ts'))
    .map((path) => join('engine/src', path))
    .sort();
}

/**
 * Vitest itself does not run in the guest: its server and packages would take longer to start, emulated, than the tests.
 * Its runner and matchers do, in place of the module `vitest`; so tests are written as everywhere else.
 * @param {string} cache @param {string[]} tests @returns {Promise<string>} the folder
 */
export async function bundleTests(cache, tests) {
  const folder = join(cache, 'tests');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const testing = join(projectRoot, 'engine/src/testing/guest');
  // Not a static import: this file is loaded before npm packages are there.
  const { build } = await import('esbuild');
  try {
    await build({
      absWorkingDir: projectRoot,
      entryPoints: [
        { in: join(testing, 'main.ts'), out: 'main' },
        ...[...tests.map((path) => join(projectRoot, path)), ...workerEntries('engine/src')].map((path) => ({
          in: path,
          out: basename(path, '.ts'),
        })),
      ],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      sourcemap: 'inline',
      sourcesContent: false,
      external: ['koffi', 'pino-pretty'],
      banner: { js: BANNER },
      alias: { vitest: join(testing, 'vitest.ts') },
      logLevel: 'silent',
    });
  } catch (error) {
    const lastLines = (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 15);
    throw new SetupError('Cannot bundle the guest’s tests: esbuild did not take them.', { lastLines });
  }
  await runTool(process.execPath, [join(projectRoot, 'apps/setup/build.mjs'), 'launch']);
  copyFileSync(join(buildFolder, 'launch'), join(folder, 'launch'));
  return folder;
}
