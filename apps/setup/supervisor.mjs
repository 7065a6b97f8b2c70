// Keeps one process running: waits for its ready line, starts it again when it dies, gives up when it dies too often.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './tool.mjs';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const WINDOW_MS = 60_000;
const MOST_DEATHS = 6;
const LOG_BYTES = 10 * 2 ** 20;

/**
 * How long to wait before a process that died is started again; null: it died too often to go on. Pure.
 * @param {number[]} deathsMs when it died, the last death included @param {number} nowMs
 */
export function restartDelayMs(deathsMs, nowMs) {
  const recent = deathsMs.filter((at) => nowMs - at < WINDOW_MS).length;
  if (recent >= MOST_DEATHS) return null;
  return Math.min(8_000, 250 * 2 ** recent);
}

/**
 * @typedef {object} Supervision
 * @property {string} title as a sentence names it: "engine daemon"
 * @property {string} log file
 * @property {RegExp} ready the line on standard output that says it serves
 * @property {() => { command: string, args: string[], env: Record<string, string> }} command
 * @property {(text: string) => void} say a sentence for the person at the terminal
 * @property {(error: Error) => void} giveUp it died too often
 */

export class Supervised {
  #of;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  /** @type {number[]} */
  #deaths = [];
  /** @type {string[]} */
  #lastLines = [];
  /** @type {NodeJS.Timeout | undefined} */
  #waiting;
  #stopping = false;

  /** @param {Supervision} of */
  constructor(of) {
    this.#of = of;
  }

  get pid() {
    return this.#child?.pid ?? null;
  }

  /** Resolves once the ready line was read. Throws SetupError when the process ends before, or stays silent for a minute. */
  start() {
    const { title, log, ready, command } = this.#of;
    mkdirSync(dirname(log), { recursive: true });
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) renameSync(log, `${log}.old`);
    const file = createWriteStream(log, { flags: 'a', mode: 0o600 });
    const { command: program, args, env } = command();
    // A session of its own: Ctrl-C reaches the set-up alone, which then stops its children in order.
    const child = spawn(program, args, {
      env: { NODE_ENV: /** @type {const} */ ('production'), PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#lastLines = [];
    return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      const silent = setTimeout(() => {
        child.kill('SIGKILL');
        reject(this.#failure(`said nothing for ${READY_TIMEOUT_MS / 1000} s`));
      }, READY_TIMEOUT_MS);
      let isReady = false;
      for (const stream of [child.stdout, child.stderr]) {
        let rest = '';
        stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
          file.write(text);
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            this.#lastLines = [...this.#lastLines, line].slice(-15);
            if (!isReady && stream === child.stdout && ready.test(line)) {
              isReady = true;
              clearTimeout(silent);
              resolve();
            }
          }
        });
      }
      child.on('error', (error) => reject(new SetupError(`Cannot start the ${title}: ${error.message}.`)));
      child.on('close', (code, signal) => {
        file.end();
        clearTimeout(silent);
        this.#child = null;
        const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
        if (!isReady) reject(this.#failure(how));
        else if (!this.#stopping) this.#restart(how);
      });
    });
  }

  /** SIGTERM, then SIGKILL when that was not enough. */
  async stop() {
    this.#stopping = true;
    clearTimeout(this.#waiting);
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(impatient);
  }

  /** @param {string} how */
  #restart(how) {
    const now = Date.now();
    this.#deaths.push(now);
    const delayMs = restartDelayMs(this.#deaths, now);
    if (delayMs === null) {
      this.#of.giveUp(this.#failure(`${how}, for the ${MOST_DEATHS}th time within a minute`));
      return;
    }
    this.#of.say(`The ${this.#of.title} ${how}; it is started again. Its output: ${this.#of.log}`);
    this.#waiting = setTimeout(() => {
      this.start().then(
        () => this.#of.say(`The ${this.#of.title} serves again.`),
        (/** @type {Error} */ error) => {
          if (!this.#stopping) this.#restart(error.message.replace(/^.*?: it /, '').replace(/\.$/, ''));
        },
      );
    }, delayMs);
  }

  /** @param {string} how */
  #failure(how) {
    const { title, log } = this.#of;
    return new SetupError(`The ${title} does not run: it ${how}.`, { lastLines: this.#lastLines, log });
  }
}
