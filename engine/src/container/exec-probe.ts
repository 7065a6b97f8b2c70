// One run of a health check in a container, with what it wrote.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { HealthConfig } from '../model/container-config.ts';
import { type Probe, probeTimeoutMs } from '../model/health.ts';
import { readChunks } from '../model/output-chunks.ts';
import { SIGKILL } from '../model/signal.ts';
import type { Kept } from '../kernel/kernel.ts';
import type { RunningContainer } from '../runtime/driver.ts';
import { exitCodeOf } from './exit-code.ts';
import type { LiveContainer } from './live-container.ts';

/** Of the names of its keepers' directories in the container's own. */
export const PROBE_PREFIX = 'health-';
/** What is kept of its output, as Docker does. */
const MOST_OUTPUT_BYTES = 4096;

/** Throws when it could not be run for a reason of ours; a check that is not there is a failed probe. */
export async function runAndRead(
  container: LiveContainer,
  running: RunningContainer,
  command: readonly string[],
  config: HealthConfig,
  signal: AbortSignal,
): Promise<Probe> {
  const Start = new Date().toISOString();
  const outcome = (ExitCode: number, Output: string): Probe => ({
    Start,
    End: new Date().toISOString(),
    ExitCode,
    Output,
  });
  const { process } = await container.spec();
  const execId = randomBytes(32).toString('hex');
  const line = command.join(' ');
  container.publish(`exec_create: ${line}`, { execID: execId });
  let kept: Kept;
  try {
    kept = await running.exec(
      { ...process, args: command, terminal: false },
      {
        directory: join(container.runDirectory, `${PROBE_PREFIX}${execId.slice(0, 12)}`),
        openStdin: false,
        privileged: false,
      },
    );
  } catch (error) {
    return outcome(-1, error instanceof Error ? error.message : String(error));
  }
  container.publish(`exec_start: ${line}`, { execID: execId });
  const timeoutMs = probeTimeoutMs(config);
  let isLate = false;
  const end = () => void kept.signal(SIGKILL).catch(() => undefined); // it has ended by itself
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end);
  try {
    const output = readOutput(kept);
    const exit = await kept.exit;
    const text = await output;
    container.publish('exec_die', { execID: execId, exitCode: String(exitCodeOf(exit)) });
    if (isLate) return outcome(-1, `Health check exceeded timeout (${timeoutMs / 1000}s)`);
    return outcome(exitCodeOf(exit), text);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    kept.dispose();
  }
}

async function readOutput(kept: Kept): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of kept.follow().stream)
    for (const { bytes } of readChunks(piece as Buffer).chunks) {
      if (length < MOST_OUTPUT_BYTES) parts.push(bytes);
      length += bytes.length;
    }
  const text = Buffer.concat(parts).subarray(0, MOST_OUTPUT_BYTES).toString();
  return length > MOST_OUTPUT_BYTES ? `${text}...` : text;
}
