// The command as its user meets it: what it says, and its exit code.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runLessonsCommand } from './cli.ts';
import { findLesson, loadLessons } from './library.ts';

const LESSONS = join(import.meta.dirname, '../../../../lessons');

let scratch = '';
beforeEach(() => (scratch = mkdtempSync(join(tmpdir(), 'drydock-lessons-cli-'))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const env = { DRYDOCK_RUN: join(scratch, 'run') };
  const code = await runLessonsCommand(argv, env, {
    out: (text) => void (out += `${text}\n`),
    err: (text) => void (err += `${text}\n`),
  });
  return { code, out, err };
}

test('validate: the lessons here are well, and it counts them', async () => {
  const { code, out, err } = await run('validate', '--json', join(scratch, 'result.json'));
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(/^10 tracks, \d+ lessons: 1 ready \(3 steps\), \d+ not yet written, 0 broken; 0 problems\n$/);
  const [b2] = JSON.parse(readFileSync(join(scratch, 'result.json'), 'utf8'));
  expect(b2).toMatchObject({ track: 'B', lesson: 'b2-pid', state: 'ready', languages: ['en', 'zh'] });
  expect(b2.steps.map(({ id }: { id: string }) => id)).toEqual(['1-the-trap', '2-a-tree', '3-killing-pid-1']);
});

test('validate: a broken lesson is named by file, line and field, and fails', async () => {
  const copy = join(scratch, 'lessons');
  cpSync(LESSONS, copy, { recursive: true });
  const file = join(copy, 'b-namespaces/b2-pid/lesson.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('minutes: 15', 'minutes: soon'));
  const { code, out, err } = await run('validate', '--lessons', copy);
  expect(code).toBe(1);
  expect(err).toContain('b-namespaces/b2-pid/lesson.yaml:3: minutes: must be a number, and is "soon"\n');
  expect(out).toContain('1 broken');
});

test('validate --seeds: a quote has to stand in its source word for word', async () => {
  const copy = join(scratch, 'lessons');
  const seeds = join(scratch, 'seeds');
  cpSync(LESSONS, copy, { recursive: true });
  cpSync(join(LESSONS, '../apps/server/src/checks/recorded'), seeds, { recursive: true });
  writeFileSync(join(seeds, 'one.txt'), 'A container is a process.\n');
  writeFileSync(
    join(copy, 'concepts.yaml'),
    `- { seed: one.txt, quote: is a process, step: B/b2-pid/2-a-tree, term: { en: NSpid, zh: NSpid } }
- { seed: one.txt, quote: is a machine, step: B/b2-pid/2-a-tree, term: { en: NSpid, zh: NSpid } }
- { seed: two.txt, quote: is a process, step: B/b2-pid/2-a-tree, term: { en: NSpid, zh: NSpid } }
- { seed: one.txt, quote: is a process, step: B/b2-pid/9-none, term: { en: NSpid, zh: NSpid } }
- { seed: one.txt, quote: is a process, step: B/b2-pid/2-a-tree, term: { en: NSpid, zh: 号码 } }
`,
  );
  const { code, err } = await run('validate', '--lessons', copy, '--seeds', seeds);
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toEqual([
    'concepts.yaml:2: [1].quote: "is a machine" does not stand in "one.txt" word for word',
    'concepts.yaml:3: [2].seed: there is no readable "two.txt" among the source texts',
    'concepts.yaml:4: [3].step: "B/b2-pid/9-none" is no step of a lesson that is ready: write track/lesson/step',
    'concepts.yaml:5: [4].term: "NSpid" / "号码" is not in the glossary of b2-pid',
  ]);
});

test('new: a lesson that validates, and says of every text that it is still to be written', async () => {
  const copy = join(scratch, 'lessons');
  cpSync(LESSONS, copy, { recursive: true });
  const made = await run('new', 'B/b3-mnt', '1-a-view', '2-it-leaks', '--lessons', copy);
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toContain('b-namespaces/b3-mnt/2-it-leaks/wrong-other-kind.sh\n');

  const { code, out, err } = await run('validate', '--lessons', copy, '--json', join(scratch, 'result.json'));
  expect([code, out]).toEqual([0, expect.stringContaining('2 ready (5 steps)')]);
  expect(err).toMatch(/^Still to be filled in:\n {2}b-namespaces\/b3-mnt\/1-a-view\/en\.md:3\n/);
  const lessons = JSON.parse(readFileSync(join(scratch, 'result.json'), 'utf8'));
  expect(lessons.map(({ lesson }: { lesson: string }) => lesson)).toEqual(['b2-pid', 'b3-mnt']);
  const { lesson } = findLesson(loadLessons(copy), 'B', 'b3-mnt')!.content!;
  expect(lesson).toMatchObject({
    title: { en: 'A view of the files' },
    minutes: 15,
    steps: ['1-a-view', '2-it-leaks'],
  });
});

test.each([
  [['B/b3-mnt', 'first'], 'Cannot make step "first": a step is named once, and like 1-some-name'],
  [['B/b2-pid'], 'is there already'],
  [['B/b99'], 'b-namespaces/track.yaml does not name it; add it there first'],
  [['Q/b3-mnt'], 'write TRACK/LESSON, the track being one of A, B,'],
])('new %j: a sentence, and nothing is made', async (argv, wanted) => {
  const copy = join(scratch, 'lessons');
  cpSync(LESSONS, copy, { recursive: true });
  const { code, err } = await run('new', ...argv, '--lessons', copy);
  expect([code, err]).toEqual([1, expect.stringContaining(wanted)]);
  expect(existsSync(join(copy, 'b-namespaces/b3-mnt'))).toBe(false);
});

test('solve without an engine says how to start one', async () => {
  const { code, err } = await run('solve');
  expect(code).toBe(1);
  expect(err).toBe(
    `Cannot solve the lessons: no engine listens at "${scratch}/run/lab.sock". Start one: npm run engine\n`,
  );
});

test.each([
  [['solvent'], 'Cannot run "solvent": there is no such command'],
  [['validate', 'twice'], 'Cannot run "validate twice": there is no such command'],
  [['validate', '--jason', 'x'], "Unknown option '--jason'"],
])('%j: usage, and exit code 2', async (argv, wanted) => {
  const { code, err } = await run(...argv);
  expect(code).toBe(2);
  expect(err).toContain(wanted);
  expect(err).toContain('Usage: npm run lessons');
});
