// `npm run test:guest [-- FILTER]`: boots one emulated guest with cgroup v2 and every module of a stock kernel, runs each
// *.guest.test.ts in it, prints what they found. What the machine's own kernel lacks is tested here.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportFailure } from './failure.mjs';
import { initramfs } from './guest/initramfs.mjs';
import { guestKernel } from './guest/kernel.mjs';
import { runGuest } from './guest/qemu.mjs';
import { rootImage } from './guest/root-image.mjs';
import { bundleTests, guestTests } from './guest/test-bundle.mjs';
import { findProgram, installPackages } from './host-packages.mjs';
import { buildFolder } from './paths.mjs';
import { Progress } from './progress.mjs';
import { SetupError } from './tool.mjs';

const PACKAGES = [
  { name: 'qemu-system-x86', why: 'emulates the guest', programs: ['qemu-system-x86_64'] },
  { name: 'busybox-static', why: 'boots the guest', programs: ['busybox'] },
  { name: 'e2fsprogs', why: 'makes the guest’s disk', programs: ['mke2fs'] },
];

const cache = join(buildFolder, 'guest');
const progress = new Progress();
const filter = process.argv[2] ?? '';

/** @template T @param {string} title @param {(note: (text: string) => void) => Promise<T>} run @returns {Promise<T>} */
async function step(title, run) {
  progress.begin(title);
  try {
    const result = await run((text) => progress.note(title, text));
    progress.end(title);
    return result;
  } catch (error) {
    progress.fail(title);
    throw error;
  }
}

/**
 * @typedef {object} Message a line of engine/src/testing/guest/main.ts
 * @property {'start' | 'test' | 'error' | 'end'} kind
 * @property {string} name
 * @property {string} [state]
 * @property {string} [note]
 * @property {string} [message]
 * @property {number} [durationMs]
 * @property {{ message: string, stack?: string, diff?: string }[]} [errors]
 */

const count = { passed: 0, failed: 0, skipped: 0, ended: false };
/** The test that runs: named when the guest dies in the middle of it. */
let running = '';

/** @param {string} line */
function hear(line) {
  if (!line.startsWith('{')) return;
  /** @type {Message} */
  const message = JSON.parse(line);
  if (message.kind === 'start') running = message.name;
  if (message.kind === 'end') count.ended = true;
  if (message.kind === 'error') {
    count.failed += 1;
    progress.line(`  ✗ ${message.name}: ${message.message}`);
  }
  if (message.kind === 'test') hearTest(message);
}

/** @param {Message} message */
function hearTest({ name, state, note, durationMs, errors = [] }) {
  running = '';
  if (state === 'pass') count.passed += 1;
  else if (state === 'skip' || state === 'todo') count.skipped += 1;
  else count.failed += 1;
  const mark = state === 'pass' ? '✓' : state === 'skip' || state === 'todo' ? '↓' : '✗';
  progress.line(`  ${mark} ${name}${note ? ` (${note})` : ''} ${durationMs} ms`);
  for (const error of errors)
    for (const text of [error.stack ?? error.message, error.diff]) if (text) progress.line(text);
}

try {
  if (process.arch !== 'x64')
    throw new SetupError(
      `Cannot run the guest's tests on ${process.arch}: the guest is x86_64 and runs this machine's own programs. Run them on an x86_64 host.`,
    );
  const missing = PACKAGES.filter(({ programs }) => !programs.every((program) => findProgram(program) !== null));
  if (missing.length > 0) {
    progress.line(`The guest needs ${missing.map(({ name, why }) => `${name} (${why})`).join(', ')}: installing.`);
    await step('Debian packages', (note) => installPackages(missing, note));
  }
  mkdirSync(cache, { recursive: true });
  const tests = guestTests().filter((path) => path.includes(filter));
  if (tests.length === 0) throw new SetupError(`Cannot find a guest test whose path has "${filter}" in it.`);
  const kernel = await step('guest kernel', () => guestKernel(cache));
  const image = await step('guest disk', () => rootImage(cache, kernel));
  const folder = await step('guest tests', () => bundleTests(cache, tests));
  const ramfs = join(cache, 'initramfs');
  writeFileSync(ramfs, initramfs(kernel, folder));
  const failure = await step(`guest (Linux ${kernel.version}, emulated)`, () =>
    runGuest({ vmlinuz: kernel.vmlinuz, initramfs: ramfs, image, cache }, hear),
  );
  if (failure !== null || !count.ended) {
    count.failed += 1;
    const last = readFileSync(join(cache, 'console.log'), 'utf8').trimEnd().split('\n').slice(-25);
    progress.line(`Guest failed${running ? ` in "${running}"` : ''}: ${failure ?? 'it ended before its tests did'}.`);
    progress.line(`Its console said last (all of it: build/guest/console.log):\n${last.join('\n')}`);
  }
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  progress.line(`\n${count.passed} passed, ${count.failed} failed${skipped}`);
  process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
