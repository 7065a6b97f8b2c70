// `npm run lessons -- preview`: the lab server with one lesson, for its author, beside whatever else runs. It has progress, a
// learner and a sandbox of its own; all three end with it.
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSteps } from './build-steps.mjs';
import { CODE_PARTS, jailRoot, serverCommand } from './server-jail.mjs';
import { makeCodeReadable } from './code-readable.mjs';
import { removeSandbox } from './engine-client.mjs';
import { ensureLabUser } from './lab-user.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { Progress } from './progress.mjs';
import { runSteps } from './steps.mjs';
import { SetupError } from './tool.mjs';

const USAGE = 'Usage: npm run lessons -- preview TRACK/LESSON [--port N]';

/** Throws SetupError with one sentence for what can't be meant. @param {string[]} argv */
export function parsePreviewOptions(argv) {
  /** @type {{ values: { port?: string }, positionals: string[] }} */
  let parsed;
  try {
    parsed = parseArgs({ args: argv, allowPositionals: true, options: { port: { type: 'string' } } });
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}.\n${USAGE}`);
  }
  const [lesson = '', ...more] = parsed.positionals;
  if (!/^[^/]+\/[^/]+$/.test(lesson) || more.length > 0)
    throw new SetupError(`Cannot preview "${parsed.positionals.join(' ')}": name one lesson.\n${USAGE}`);
  const port = Number(parsed.values.port ?? '3100');
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new SetupError(`Cannot listen on port "${parsed.values.port}": a port is a number from 1 to 65535.`);
  return { lesson, port };
}

/**
 * Serves the lesson until it is ended.
 * @param {string[]} argv
 * @param {(command: string, args: string[], env: NodeJS.ProcessEnv) => Promise<number>} become
 */
export async function preview(argv, become) {
  const { lesson, port } = parsePreviewOptions(argv);
  const paths = instancePaths(process.env);
  if (!existsSync(paths.labSocket))
    throw new SetupError(
      `Cannot preview "${lesson}": no engine listens at "${paths.labSocket}". Start one: npm run engine`,
    );
  process.umask(0o022);
  await runSteps(buildSteps(['server', 'web']), new Progress(process.stderr));
  await makeCodeReadable(projectRoot, CODE_PARTS);
  const user = await ensureLabUser(paths.journal);
  mkdirSync(jailRoot(paths), { recursive: true });
  const labData = mkdtempSync(join(paths.run, 'preview-'));
  chownSync(labData, user.uid, user.gid);
  // Of the caller's lab it has neither the database nor the addresses.
  const { command, args, env } = serverCommand({ ...paths, labData }, user, { host: '127.0.0.1', port }, {});
  try {
    return await become(command, args, { NODE_ENV: 'production', ...env, DRYDOCK_PREVIEW: lesson });
  } finally {
    rmSync(labData, { recursive: true, force: true });
    await removeSandbox(paths.labSocket, 'preview');
  }
}
