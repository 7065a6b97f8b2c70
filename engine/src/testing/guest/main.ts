// Entry of the guest: runs the test files it is given with vitest's runner and writes a line of JSON for each test to a file
// (a serial port), for apps/setup/guest-test.mjs to read. Never decides what passes: that is the host's.
import { type Task, type Test, type VitestRunner, startTests } from '@vitest/runner';
import { openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [report = '/dev/stdout', ...files] = process.argv.slice(2);
const output = openSync(report, 'w');
const tell = (message: object) => writeSync(output, `${JSON.stringify(message)}\n`);

const fullName = (task: Task): string =>
  task.suite && task.suite.name !== '' ? `${fullName(task.suite)} > ${task.name}` : task.name;

const runner: VitestRunner = {
  config: {
    root: '/tests',
    setupFiles: [],
    name: 'guest',
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    // Emulated, everything takes ten times as long: hang guards only.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  importFile: (path) => import(pathToFileURL(path).href) as Promise<unknown>,
  onBeforeRunTask: (test) => tell({ kind: 'start', file: test.file.filepath, name: fullName(test) }),
  onAfterRunTask: tellTest,
};

const told = new Set<string>();

function tellTest(test: Test): void {
  if (told.has(test.id)) return;
  told.add(test.id);
  tell({
    kind: 'test',
    file: test.file.filepath,
    name: fullName(test),
    state: test.result?.state ?? test.mode,
    // Why it was skipped; not among the runner's types.
    note: Reflect.get(test.result ?? {}, 'note') as unknown,
    durationMs: Math.round(test.result?.duration ?? 0),
    errors: (test.result?.errors ?? []).map(({ message, stack, diff }) => ({ message, stack, diff })),
  });
}

/** Skipped tests, and those whose suite failed before they ran: the runner calls back for none of them. */
function tellRest(tasks: readonly Task[]): void {
  for (const task of tasks) {
    if (task.type === 'test') tellTest(task);
    else tellRest(task.tasks);
  }
}

/** Failures of files and suites themselves: an import that throws, a hook that fails. */
function suiteErrors(tasks: readonly Task[]): { name: string; message: string }[] {
  return tasks.flatMap((task) =>
    task.type === 'test'
      ? []
      : [
          ...(task.result?.errors ?? []).map(({ message, stack }) => ({ name: task.name, message: stack ?? message })),
          ...suiteErrors(task.tasks),
        ],
  );
}

process.on('unhandledRejection', (error) =>
  tell({ kind: 'error', name: 'unhandled rejection', message: String(error) }),
);
try {
  const done = await startTests(files, runner);
  tellRest(done);
  for (const error of suiteErrors(done)) tell({ kind: 'error', ...error });
  tell({ kind: 'end' });
} catch (error) {
  tell({ kind: 'error', name: 'runner', message: error instanceof Error ? error.stack : String(error) });
}
process.exit(0);
