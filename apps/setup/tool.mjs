// Runs one outside tool: its output goes to a log file, its last lines into the error. Never prints.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const KEPT_LINES = 15;

/** A step that failed: one sentence with what to do, and the last lines the tool wrote. */
export class SetupError extends Error {
  /** @param {string} message @param {{ lastLines?: string[], log?: string }} [more] */
  constructor(message, more = {}) {
    super(message);
    this.name = 'SetupError';
    this.lastLines = more.lastLines ?? [];
    this.log = more.log;
  }
}

/**
 * Runs a tool to its end and resolves with what it wrote to standard output. Throws SetupError when it can't start or exits non-zero.
 * @param {string} command @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, log?: string, onLine?: (line: string) => void, advice?: string }} [options]
 * `advice`: the sentence that says what to do when it fails.
 * @returns {Promise<string>}
 */
export async function runTool(command, args, options = {}) {
  const { log, advice } = options;
  if (log) mkdirSync(dirname(log), { recursive: true });
  const file = log ? createWriteStream(log) : null;
  /** @type {string[]} */
  const lastLines = [];
  let out = '';
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ text) => {
      file?.write(text);
      if (stream === child.stdout) out += text;
      const lines = (rest + text).split(/\r?\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') noteLine(line);
    });
    stream.on('end', () => rest.trim() !== '' && noteLine(rest));
  }
  /** @param {string} line */
  function noteLine(line) {
    lastLines.push(line);
    if (lastLines.length > KEPT_LINES) lastLines.shift();
    options.onLine?.(line);
  }
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(null);
      else resolve(signal ? `it was ended by ${signal}` : `it exited with code ${code}`);
    });
  });
  file?.end();
  if (failure === null) return out;
  const more = log ? { lastLines, log } : { lastLines };
  throw new SetupError(
    `Cannot run "${[command, ...args].slice(0, 3).join(' ')}": ${failure}. ${advice ?? ''}`.trim(),
    more,
  );
}
