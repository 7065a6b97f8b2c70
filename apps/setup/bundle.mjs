// Bundles the engine daemon and the lab server with esbuild: one file each starts in a fraction of the time that
// hundreds of TypeScript files take. What has native parts or finds its own files stays outside, in node_modules.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inputFiles } from './content-hash.mjs';
import { buildFolder, projectRoot } from './paths.mjs';
import { SetupError } from './tool.mjs';

/** Not bundled: native binaries (koffi, libsql), and packages that look for files beside themselves (next, prisma). */
const EXTERNAL = [
  'koffi',
  'next',
  'next/*',
  'react',
  'react/*',
  'react-dom',
  'react-dom/*',
  '@prisma/*',
  '@libsql/*',
  'libsql',
  'pg-native',
  'bufferutil',
  'utf-8-validate',
  'pino-pretty',
  'node-pty',
];

// Packages written for CommonJS call require() for Node's own modules; an ES module has no require unless it makes one.
export const BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Files that run in a worker thread, named `<name>.worker.ts`: each gets a bundle build/<name>.worker.mjs beside the
 * daemon's, where engine/src/kernel/worker-thread.ts looks for it.
 * @param {string} folder
 */
export function workerEntries(folder) {
  return inputFiles(projectRoot, [folder]).filter((path) => path.endsWith('.worker.ts'));
}

/** What the daemon says of itself in /version. */
function buildFacts() {
  const git = spawnSync('git', ['-C', projectRoot, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  const { version } = readPackage();
  return {
    __DRYDOCK_VERSION__: JSON.stringify(version),
    __DRYDOCK_COMMIT__: JSON.stringify(git.status === 0 ? git.stdout.trim() : 'unknown'),
    __DRYDOCK_BUILT_AT__: JSON.stringify(new Date().toISOString()),
  };
}

/** @returns {{ version: string }} */
const readPackage = () => JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));

/**
 * Bundles entries to build/<name>.mjs, and their workers beside them. Throws SetupError with esbuild's own messages.
 * @param {Record<string, string>} entries name -> path in the clone: { engine: 'engine/src/main.ts' }
 */
export async function bundle(entries) {
  const absent = Object.values(entries).find((entry) => !existsSync(join(projectRoot, entry)));
  if (absent !== undefined) {
    throw new SetupError(
      `Cannot bundle "${absent}": the file is not there. Is this clone complete? "git status" tells.`,
    );
  }
  // Not a static import: this file is loaded before npm packages are there.
  const { buildSync } = await import('esbuild');
  const points = Object.entries(entries).map(([name, entry]) => ({ in: join(projectRoot, entry), out: name }));
  const sources = new Set(
    Object.values(entries).map((entry) => entry.slice(0, entry.indexOf('/src/') + '/src'.length)),
  );
  const workers = [...sources].flatMap(workerEntries).map((path) => ({ in: path, out: basename(path, '.ts') }));
  try {
    // Not build(): that leaves a child process for as long as this one lives, and npm start lives for good.
    buildSync({
      absWorkingDir: projectRoot,
      entryPoints: [...points, ...workers],
      outdir: buildFolder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      sourcemap: 'linked',
      external: EXTERNAL,
      define: buildFacts(),
      banner: { js: BANNER },
      logLevel: 'silent',
    });
  } catch (error) {
    const lastLines = (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 15);
    throw new SetupError(`Cannot bundle "${Object.values(entries).join(', ')}": esbuild did not take it.`, {
      lastLines,
    });
  }
}
