// The command as its user meets it: what it says, and its exit code.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runLessonsCommand } from './cli.ts';

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
