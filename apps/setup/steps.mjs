// Runs set-up steps: each as soon as those it needs are done, side by side, skipped when its key did not change.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFolder } from './paths.mjs';

/**
 * @typedef {object} Step
 * @property {string} id
 * @property {string} title what the progress line says
 * @property {string[]} [needs] ids of steps that must be done before
 * @property {() => string | null} key null: always run; else a hash of everything that goes in, asked once its needs are done
 * @property {() => boolean} [done] where given, it alone decides, and `key` is not asked
 * @property {() => boolean} [stands] what an earlier run made is still there
 * @property {(note: (text: string) => void) => Promise<string | void>} run resolves with a short result for the closing line
 */

/** Keys of what was built before, one small file each, in a folder that goes away with what was built. */
export class Stamps {
  /** @param {string} folder */
  constructor(folder = join(buildFolder, '.stamps')) {
    this.folder = folder;
  }
  /** @param {string} id */
  read(id) {
    try {
      return readFileSync(join(this.folder, id), 'utf8');
    } catch {
      return null;
    }
  }
  /** @param {string} id @param {string} key */
  write(id, key) {
    const file = join(this.folder, id);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, key);
    renameSync(`${file}.new`, file);
  }
}

/**
 * Steps that need a missing step are an error of the caller's. The first failure is thrown after the steps that run already have ended.
 * @param {Step[]} steps @param {import('./progress.mjs').Progress} progress @param {Stamps} [stamps]
 * @returns {Promise<string[]>} ids of the steps that ran
 */
export async function runSteps(steps, progress, stamps = new Stamps()) {
  /** @type {string[]} */
  const ran = [];
  /** @type {Map<string, Promise<void>>} */
  const started = new Map();
  let stopped = false;
  /** @param {Step} step */
  const runOne = async (step) => {
    for (const id of step.needs ?? []) {
      const needed = started.get(id);
      if (!needed) throw new Error(`Step "${step.id}" needs "${id}", which is not before it in the list`);
      await needed;
    }
    if (stopped) return;
    if (step.done?.()) return;
    const key = step.done ? null : step.key();
    if (key !== null && stamps.read(step.id) === key && (step.stands?.() ?? true)) return;
    progress.begin(step.title);
    try {
      const result = await step.run((text) => progress.note(step.title, text));
      if (key !== null) stamps.write(step.id, key);
      ran.push(step.id);
      progress.end(step.title, result ?? '');
    } catch (error) {
      stopped = true;
      progress.fail(step.title);
      throw error;
    }
  };
  for (const step of steps) {
    const running = runOne(step);
    // A step that nobody awaits yet must not end the process; allSettled below reports it.
    running.catch(() => {});
    started.set(step.id, running);
  }
  const results = await Promise.allSettled(started.values());
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return ran;
}
