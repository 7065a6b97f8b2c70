// Ends the lab of the tests with its sandboxes, and takes away what it kept.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

export default function teardown(): void {
  const directory = process.env['DRYDOCK_E2E'];
  if (directory === undefined) throw new Error('Cannot clean up after the end-to-end tests: DRYDOCK_E2E is not set');
  const env = { ...process.env, DRYDOCK_ROOT: join(directory, 'root'), DRYDOCK_RUN: join(directory, 'run') };
  const stop = spawnSync('node', ['apps/setup/start.mjs', '--stop'], { env, encoding: 'utf8' });
  if (stop.status !== 0) throw new Error(`Cannot stop the lab of the end-to-end tests: ${stop.stdout}${stop.stderr}`);
  rmSync(directory, { recursive: true, force: true });
}
