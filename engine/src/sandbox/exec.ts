// Runs a program in a sandbox to its end: a step's set-up, a script check. Bounded in time and in output.
import { closeSync, rmSync } from 'node:fs';
import type { Exec, ExecResult } from '../api/lab/schemas.ts';
import { EngineError, SysError } from '../model/engine-error.ts';
import { readChunks } from '../model/output-chunks.ts';
import { execPlan } from './enter-plan.ts';
import { entryOf } from './entry.ts';
import { keeperDirectory, type SandboxHost } from './host.ts';
import type { Sandbox } from './sandbox.ts';

const MOST_OUTPUT_BYTES = 2 ** 20;
/** Chunk heads beside the bytes: 16 bytes each, and programs that write byte by byte exist. */
const MOST_RECORDED_BYTES = 4 * MOST_OUTPUT_BYTES;
const SIGKILL = 9;
/** A killed process is gone within milliseconds, unless it waits where no signal reaches it. */
const ENDING_MS = 2_000;
let counter = 0;

export async function exec(host: SandboxHost, sandbox: Sandbox, request: Exec): Promise<ExecResult> {
  const { group } = sandbox.life();
  const init = sandbox.initPidfd();
  counter += 1;
  const directory = keeperDirectory(host, sandbox.id, `x${process.pid}-${counter}`);
  const { kept } = await host.kernel
    .launch(execPlan(entryOf(host, group, request)), {
      directory,
      descriptors: { init },
      limitBytes: MOST_RECORDED_BYTES,
    })
    .catch((error: unknown) => {
      if (error instanceof SysError && error.syscall === 'execve')
        throw new EngineError('not_found', `Cannot run "${request.argv[0]}" in "${sandbox.id}": ${error.errno}`, {
          cause: error,
        });
      throw error;
    })
    .finally(() => closeSync(init));
  let timedOut = false;
  let giveUp: (why: EngineError) => void = () => undefined;
  const stuck = new Promise<never>((_, reject) => (giveUp = reject));
  const timers = [
    setTimeout(() => {
      timedOut = true;
      void kept.signal(SIGKILL);
    }, request.timeoutMs),
    setTimeout(() => {
      const why = 'it waits for a file system that does not answer; it ends with the sandbox';
      giveUp(new EngineError('conflict', `Cannot end "${request.argv[0]}" in "${sandbox.id}": ${why}`));
    }, request.timeoutMs + ENDING_MS),
  ];
  const result = async (): Promise<ExecResult> => {
    try {
      const output = collect(kept.follow().stream);
      if (request.stdin !== undefined) await kept.write(Buffer.from(request.stdin)).catch(() => undefined); // it need not read
      await kept.endInput().catch(() => undefined);
      const { code, signal } = await kept.exit;
      const { stdout, stderr, truncated } = await output;
      return { code, signal, stdout, stderr, truncated, timedOut };
    } finally {
      timers.forEach(clearTimeout);
      kept.release();
      rmSync(directory, { recursive: true, force: true });
    }
  };
  return Promise.race([result(), stuck]);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<{ stdout: string; stderr: string; truncated: boolean }> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  const { chunks } = readChunks(Buffer.concat(parts));
  const of = (wanted: 'stdout' | 'stderr') =>
    Buffer.concat(chunks.filter(({ stream: name }) => name === wanted).map(({ bytes }) => bytes));
  const [stdout, stderr] = [of('stdout'), of('stderr')];
  const text = (bytes: Buffer) => bytes.subarray(0, MOST_OUTPUT_BYTES).toString('utf8');
  const truncated = stdout.length > MOST_OUTPUT_BYTES || stderr.length > MOST_OUTPUT_BYTES;
  return { stdout: text(stdout), stderr: text(stderr), truncated };
}
