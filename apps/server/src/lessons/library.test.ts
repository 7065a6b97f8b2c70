// The loader on the lessons themselves, and on copies of them with one thing broken: the sentence names file, line, field.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLesson, loadLessons } from './library.ts';
import { formatProblem } from './problem.ts';

const LESSONS = join(import.meta.dirname, '../../../../lessons');
const B2 = 'b-namespaces/b2-pid';
const STEP = `${B2}/1-the-trap`;

let copy = '';
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'drydock-lessons-'));
  cpSync(LESSONS, copy, { recursive: true });
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

/** Changes a file of the copy, and says what is wrong then. */
function broken(file: string, change: (text: string) => string): string[] {
  const text = readFileSync(join(copy, file), 'utf8');
  const changed = change(text);
  expect(changed, 'the change applies').not.toBe(text);
  writeFileSync(join(copy, file), changed);
  return loadLessons(copy).problems.map(formatProblem);
}

const lineOf = (file: string, needle: string): number =>
  readFileSync(join(copy, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(needle)) + 1;

describe('the lessons of this repository', () => {
  test('have no problem', () => expect(loadLessons(LESSONS).problems.map(formatProblem)).toEqual([]));

  test('come in order, A to I and the capstone, with every lesson of the curriculum', () => {
    const { tracks } = loadLessons(LESSONS);
    expect(tracks.map(({ id, lessons }) => `${id} ${lessons.map(({ code }) => code).join(' ')}`)).toEqual([
      'A A0 A1 A2',
      'B B1 B2 B3 B4 B5 B6 B7 B8',
      'C C1 C2 C3 C4 C5 C6 C7',
      'D D1 D2 D3 D4',
      'E E1 E2 E3 E4 E5 E6 E7 E8',
      'F F1 F2 F3 F4 F5 F6',
      'G G1 G2 G3 G4 G5 G6 G7 G8 G9 G10 G11',
      'H H1 H2 H3',
      'I I1 I2 I3 I4',
      'capstone Z1',
    ]);
  });

  test('B2 is ready, with three steps, its prose as HTML in both languages', () => {
    const lesson = findLesson(loadLessons(LESSONS), 'B', 'b2-pid');
    expect(lesson?.state).toBe('ready');
    expect(lesson?.content?.steps.map(({ id }) => id)).toEqual(['1-the-trap', '2-a-tree', '3-killing-pid-1']);
    expect(lesson?.content?.prose.en.opening).toContain('<strong>PID namespace</strong>');
    expect(lesson?.content?.prose.zh.sheet).toContain('<table>');
    for (const step of lesson?.content?.steps ?? [])
      for (const language of ['en', 'zh'] as const) expect(step.prose[language].situation).toMatch(/^<p>[^]*<\/p>$/);
  });

  test('a lesson without a folder is absent, and no such lesson is null', () => {
    const library = loadLessons(LESSONS);
    expect(findLesson(library, 'B', 'b1-uts')).toMatchObject({ state: 'absent', content: null });
    expect(findLesson(library, 'B', '../b2-pid')).toBeNull();
  });
});

describe('a broken step.yaml', () => {
  const file = `${STEP}/step.yaml`;
  test.each<[string, (text: string) => string, (line: (needle: string) => number) => string]>([
    [
      'an unknown key',
      (text) => text.replace('\nexplain:\n', '\nexplian: 1\nexplain:\n'),
      (line) => `${line('explian')}: explian: is not a field of the format: remove it, or correct its name`,
    ],
    [
      'a translation that is missing',
      (text) =>
        text
          .replace('title: { en: The trap, zh: 陷阱 }', 'title: { en: The trap }')
          .replace("title: { en: 'The trap', zh: '陷阱' }", 'title: { en: The trap }'),
      () => '1: title.zh: is missing: a string is needed here',
    ],
    [
      'a fact that does not exist',
      (text) => text.replace('fact: children-members, exactly: 0', 'fact: children-member, exactly: 0'),
      (line) =>
        `${line('fact: children-member,')}: checks[2].assert.fact: must be one of namespace, children-namespace, `,
    ],
    [
      'a prediction whose answer is no option',
      (text) => text.replace('  answer: host\n', '  answer: hostt\n'),
      (line) => `${line('answer: hostt')}: predict.answer: "hostt" is not among the options: one, two, host`,
    ],
    [
      'a prediction that waits for a check that is not there',
      (text) => text.replace('once: stays', 'once: stay'),
      (line) => `${line('once: stay')}: predict.observe.once: "stay" is not among the checks: stays, children, nobody`,
    ],
    [
      'an outcome that leaves out what was observed',
      (text) => text.replace('The kernel says {observed}.', 'So there.'),
      (line) => `${line('So there.')}: predict.outcome.en: does not say {observed}`,
    ],
    [
      'a hint for a check that is not there',
      (text) => text.replace('fits: { unmet: stays }', 'fits: { unmet: stands }'),
      (line) =>
        `${line('unmet: stands')}: hints[0].fits.unmet: "stands" is not among the checks: stays, children, nobody`,
    ],
    [
      'help that is not three deep',
      (text) => text.replace(/ {2}- id: twice\n {4}text:\n.*\n.*\n/, ''),
      (line) =>
        `${line('hints:')}: hints: has 2 hints without "fits": there must be exactly 3, from a nudge to nearly the solution`,
    ],
    [
      'a flag that is not in the command',
      (text) => text.replace('flag: --pid', 'flag: --pod'),
      (line) => `${line('flag: --pod')}: commands[0].flags[0].flag: "--pod" is not in the command "unshare --pid bash"`,
    ],
    [
      'an id that is there twice',
      (text) => text.replace('  - id: children\n', '  - id: stays\n'),
      () => 'checks[1].id: "stays" is there twice: ids differ within a list',
    ],
    [
      'a wrong attempt without its file',
      (text) => text.replace('  wrong-nested.sh:', '  wrong-nestled.sh:'),
      (line) =>
        `${line('wrong-nestled.sh')}: wrong.wrong-nestled.sh: has no such file beside step.yaml: write it, or remove the entry`,
    ],
    [
      'a wrong attempt with a hint that nothing chooses',
      (text) => text.replace('hint: nested }', 'hint: look }'),
      (line) =>
        `${line('hint: look')}: wrong.wrong-nested.sh.hint: "look" is not among the hints with "fits": nested, not-forked, first-child-lives, used-fork`,
    ],
    [
      'a citation that is not https',
      (text) => text.replace('https://man7.org/linux/man-pages/man2', 'http://man7.org/linux/man-pages/man2'),
      (line) => `${line('http://man7')}: citations[2].url: invalid URL`,
    ],
    [
      'something that is not YAML',
      (text) => text.replace('minutes: 5', 'minutes: [5'),
      () => 'cannot be read as YAML: ',
    ],
    [
      'aliases, which could grow without bound',
      (text) => text.replace('minutes: 5', 'minutes: &five 5') + '\nextra: [*five, *five]\n',
      (line) => `${line('*five')}: *five is an alias: lessons have none, so write out what it stands for`,
    ],
  ])('%s', (_, change, wanted) => {
    const problems = broken(file, change);
    const line = (needle: string) => lineOf(file, needle);
    expect(
      problems.some((problem) => problem.includes(wanted(line)) && problem.startsWith(`${file}:`)),
      problems.join('\n'),
    ).toBe(true);
  });
});

describe('broken files beside it', () => {
  test.each<[string, string, (text: string) => string, string]>([
    [
      'raw HTML',
      `${STEP}/en.md`,
      (text) => `${text}\n<script>alert(1)</script>\n`,
      'raw HTML is not shown: write Markdown instead of "<script>alert(1)</script>"',
    ],
    [
      'a link that runs something',
      `${STEP}/en.md`,
      (text) => `${text}\n[here](javascript:alert(1))\n`,
      'links must begin with https://, and "javascript:alert(1)" does not',
    ],
    [
      'a picture from afar',
      `${STEP}/zh.md`,
      (text) => `${text}\n![x](https://example.org/x.png)\n`,
      'pictures are not shown',
    ],
    [
      'a part that is missing',
      `${STEP}/zh.md`,
      (text) => text.replace('# explain', '## explain'),
      `${STEP}/zh.md: explain: is missing: add a heading "# explain"`,
    ],
    [
      'a part that is not known',
      `${STEP}/en.md`,
      (text) => text.replace('# explain', '# explanation'),
      `explanation: is not a part of this file: its parts are "# situation", "# explain"`,
    ],
    [
      'commands that differ between languages',
      `${B2}/2-a-tree/zh.md`,
      (text) => text.replace('grep NSpid', 'grep Pid'),
      'commands are the same in every language, and code block 1 differs from en.md',
    ],
    [
      'a directive that is not known',
      `${STEP}/solution.sh`,
      (text) => `# wait: a bit\n${text}`,
      `${STEP}/solution.sh:1: "# wait:" takes "prompt", "nothing" or "check ID", not "a bit"`,
    ],
    ['a script that types nothing', `${STEP}/solution.sh`, () => '# nothing\n', `${STEP}/solution.sh: types nothing`],
    [
      'a lesson title that differs from the track’s',
      `${B2}/lesson.yaml`,
      (text) => text.replace('A process tree of your own', 'A tree'),
      `${B2}/lesson.yaml:2: title.en: differs from the title in b-namespaces/track.yaml, "A process tree of your own"`,
    ],
    [
      'a track that needs one that is not there',
      'b-namespaces/track.yaml',
      (text) => text.replace('needs: [A]', 'needs: [Q]'),
      'b-namespaces/track.yaml: needs: track B needs "Q", and there is no such track',
    ],
  ])('%s', (_, file, change, wanted) => {
    const problems = broken(file, change);
    expect(
      problems.some((problem) => problem.includes(wanted)),
      problems.join('\n'),
    ).toBe(true);
  });

  test('a solution that is missing, a wrong attempt without an entry, a stray file', () => {
    rmSync(join(copy, STEP, 'solution.sh'));
    writeFileSync(join(copy, STEP, 'wrong-new.sh'), 'ls\n');
    writeFileSync(join(copy, STEP, 'notes.txt'), 'x');
    expect(loadLessons(copy).problems.map(formatProblem)).toEqual([
      `${STEP}/notes.txt: is not a file of a step: remove it, or correct its name`,
      `${STEP}/step.yaml:${lineOf(`${STEP}/step.yaml`, 'wrong:')}: wrong: has no entry for wrong-new.sh: say which check it fails and which hint it gets`,
      `${STEP}/solution.sh: is missing: a lesson needs it`,
    ]);
  });

  test('a check that no wrong attempt fails', () => {
    const problems = broken(`${STEP}/step.yaml`, (text) => text.replace(/ {2}wrong-only-builtins.*\n/, ''));
    expect(problems.join('\n')).toContain(
      'checks[1].id: no wrong attempt fails "children": a check that can\'t be failed proves nothing',
    );
  });
});

test('a broken lesson is shown as broken, and takes no other with it', () => {
  broken(`${STEP}/step.yaml`, () => '\0\0: [');
  const library = loadLessons(copy);
  const lesson = findLesson(library, 'B', 'b2-pid');
  expect(lesson).toMatchObject({ state: 'broken', content: null, title: { en: 'A process tree of your own' } });
  expect(lesson?.problems.length).toBeGreaterThan(0);
  expect(library.tracks).toHaveLength(10);
});

test('a broken track.yaml leaves the other tracks', () => {
  broken('c-cgroups/track.yaml', (text) => text.replace('id: C', 'id: CC'));
  expect(
    loadLessons(copy)
      .tracks.map(({ id }) => id)
      .join(''),
  ).toBe('ABDEFGHIcapstone');
});

test('a folder without lessons says so', () => {
  expect(loadLessons(join(copy, 'nothing')).problems.map(formatProblem)).toEqual([
    `.: no track was found in "${join(copy, 'nothing')}": it needs folders with a track.yaml`,
  ]);
});
