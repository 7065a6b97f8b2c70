// Bundles the engine daemon and the lab server with esbuild: one file each starts in a fraction of the time that
// hundreds of TypeScript files take. What has native parts or finds its own files stays outside, in node_modules.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
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
const BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Files that run in a worker thread, named `<name>.worker.ts`: each gets a bundle `build/<name>.worker.mjs` beside its
 * owner's, and the owner starts it by `new URL('./<name>.worker.mjs', import.meta.url)` when it runs bundled.
 * @param {string} folder
 */
export function workerEntries(folder) {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.worker.ts') && !path.includes('node_modules'))
    .map((path) => join(folder, path))
    .sort();
}

/**
 * Bundles one entry to build/<name>.mjs and its workers beside it. Throws SetupError with esbuild's own messages.
 * @param {string} name @param {string} entry path in the clone, such as engine/src/main.ts
 * @returns {Promise<string>} path of the bundle
 */
export async function bundle(name, entry) {
  if (!existsSync(join(projectRoot, entry))) {
    throw new SetupError(
      `Cannot bundle "${entry}": the file is not there. Is this clone complete? "git status" tells.`,
    );
  }
  // Not a static import: this file is loaded before npm packages are there.
  const { build } = await import('esbuild');
  const source = entry.slice(0, entry.indexOf('/src/') + '/src'.length);
  const workers = workerEntries(source).map((path) => ({
    in: join(projectRoot, path),
    out: (path.split('/').pop() ?? '').replace(/\.ts$/, ''),
  }));
  try {
    await build({
      absWorkingDir: projectRoot,
      entryPoints: [{ in: join(projectRoot, entry), out: name }, ...workers],
      outdir: buildFolder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      sourcemap: 'linked',
      external: EXTERNAL,
      banner: { js: BANNER },
      logLevel: 'silent',
    });
  } catch (error) {
    const lastLines = (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 15);
    throw new SetupError(`Cannot bundle "${entry}": esbuild did not take it.`, { lastLines });
  }
  return join(buildFolder, `${name}.mjs`);
}
