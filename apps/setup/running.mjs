// The `npm start` that runs now: a file under DRYDOCK_RUN that names its process. A file whose process is gone says nothing.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @typedef {{ pid: number, startTicks: string, url: string }} Running */

/**
 * When a process began, in ticks since boot: with it a pid names one process for good. null where there is none.
 * @param {number} pid
 */
export function startTicks(pid) {
  try {
    // comm may hold spaces and brackets, so the fields are counted after its last bracket (proc(5), stat).
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** @param {string} file @returns {Running | null} */
export function readRunning(file) {
  /** @type {Running} */
  let running;
  try {
    running = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
  return startTicks(running.pid) === running.startTicks ? running : null;
}

/** @param {string} file @param {string} url */
export function writeRunning(file, url) {
  mkdirSync(dirname(file), { recursive: true });
  /** @type {Running} */
  const running = { pid: process.pid, startTicks: startTicks(process.pid) ?? '', url };
  writeFileSync(`${file}.new`, JSON.stringify(running));
  renameSync(`${file}.new`, file);
}

/** Removes the file if it is ours. @param {string} file */
export function removeRunning(file) {
  if (readRunning(file)?.pid === process.pid) rmSync(file, { force: true });
}
