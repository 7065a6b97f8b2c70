// Every lesson in a real sandbox of a real engine: its solutions turn all checks green, each wrong attempt leaves just its
// own check unmet, with its hint. Everything is typed on real terminals.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineClient } from '../../engine-client/engine-client.ts';
import { TestDaemon } from '@drydock/engine/testing/daemon.ts';
import { findLesson, loadLessons } from '../library.ts';
import { newLesson } from '../new-lesson.ts';
import { readScript } from '../script.ts';
import { solveStep, type StepReport } from './solve-step.ts';

const STEP_TIMEOUT_MS = 300_000;
const LESSONS = join(import.meta.dirname, '../../../../../lessons');
const library = loadLessons(LESSONS);
const lessons = library.tracks.flatMap((track) =>
  track.lessons.flatMap(({ id, content }) => (content ? [{ name: `${track.id}/${id}`, steps: content.steps }] : [])),
);

// What `npm run lessons -- new` makes can be solved as it stands.
const scratch = mkdtempSync(join(tmpdir(), 'drydock-new-lesson-'));
cpSync(LESSONS, scratch, { recursive: true });
newLesson(scratch, library, 'B/b3-mnt', ['1-first-step']);
const fresh = findLesson(loadLessons(scratch), 'B', 'b3-mnt')?.content;
rmSync(scratch, { recursive: true });
lessons.push({ name: 'a new lesson', steps: fresh?.steps ?? [] });

let daemon: TestDaemon;
let engine: EngineClient;
const sandbox = `test-lessons-${randomBytes(4).toString('hex')}`;
const reports: StepReport[] = [];

beforeAll(async () => {
  daemon = await TestDaemon.start();
  engine = new EngineClient(daemon.labSocket);
  await engine.create({ id: sandbox });
});

afterAll(async () => {
  engine?.close();
  await daemon?.end();
  const wrong = reports.flatMap((report) => report.wrong);
  console.log(`${reports.length} steps solved on real terminals, ${wrong.length} wrong attempts told apart`);
});

test('there are lessons to solve', () => {
  expect(lessons.map(({ name }) => name)).toEqual(expect.arrayContaining(['B/b2-pid', 'a new lesson']));
  for (const { steps } of lessons) expect(steps.length).toBeGreaterThan(0);
});

for (const { name, steps } of lessons)
  describe(name, () => {
    test.each(steps.map((step) => [step.id, step] as const))(
      '%s',
      async (_, step) => {
        const report = await solveStep(engine, sandbox, step, () => {});
        expect(report.faults).toEqual([]);
        expect(report).toMatchObject({ solved: true, greenBefore: [], otherSolutionsGreen: true });
        expect(report.wrong.map(({ file }) => file).sort()).toEqual(Object.keys(step.step.wrong).sort());
        for (const { file, stayedRed, hint, expectedHint, thenSolved } of report.wrong)
          expect({ file, stayedRed, hint, thenSolved }).toEqual({
            file,
            stayedRed: [step.step.wrong[file]?.fails],
            hint: expectedHint,
            thenSolved: true,
          });
        reports.push(report);
      },
      STEP_TIMEOUT_MS,
    );
  });

test(
  'a solution that solves nothing and an attempt that is not wrong are found out',
  async () => {
    const step = lessons.find(({ name }) => name === 'B/b2-pid')?.steps[1];
    expect(step).toBeDefined();
    if (!step) return;
    const idle = readScript('idle.sh', 'ls /\n', new Set());
    const only = { 'wrong-no-proc.sh': { fails: 'proc', hint: 'no-proc' } };
    const report = await solveStep(
      engine,
      sandbox,
      {
        ...step,
        step: { ...step.step, wrong: only },
        solution: idle,
        others: new Map(),
        wrong: new Map([['wrong-no-proc.sh', step.solution]]),
      },
      () => {},
      2000,
    );
    expect(report.solved).toBe(false);
    expect(report.faults.join('\n')).toContain('solution.sh does not solve the step: first not-yet');
    expect(report.faults.join('\n')).toContain('wrong-no-proc.sh must fail "proc" alone');
    expect(report.faults.join('\n')).toContain('wrong-no-proc.sh solved the step for a moment');
  },
  STEP_TIMEOUT_MS,
);
