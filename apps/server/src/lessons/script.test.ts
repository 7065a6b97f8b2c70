import { expect, test } from 'vitest';
import { readScript } from './script.ts';

const CHECKS = new Set(['first']);

test('types each line in its terminal, and waits as told', () => {
  const { lines, problems } = readScript(
    'solution.sh',
    '# A note.\nunshare --pid bash\n# wait: nothing\nsleep 9\n# wait: prompt\n# terminal: 2\nps -ef\n# wait: check first\n',
    CHECKS,
  );
  expect(problems).toEqual([]);
  expect(lines).toEqual([
    { kind: 'type', terminal: 1, text: 'unshare --pid bash', wait: 'prompt', line: 2 },
    { kind: 'type', terminal: 1, text: 'sleep 9', wait: 'nothing', line: 4 },
    { kind: 'type', terminal: 2, text: 'ps -ef', wait: 'prompt', line: 7 },
    { kind: 'wait', check: 'first', line: 8 },
  ]);
});

test('a learner sees notes and lines, and in which terminal; not the waiting', () => {
  const { text } = readScript('s', '# A note.\n# wait: nothing\nls\n# terminal: 2\nps\n', CHECKS);
  expect(text).toBe('# A note.\nls\n# terminal 2\nps\n');
});

test.each([
  ['# terminal: 9\nls', '"# terminal:" takes a number from 1 to 4, not "9"'],
  ['# wait: soon\nls', '"# wait:" takes "prompt", "nothing" or "check ID", not "soon"'],
  ['# wait: check last\nls', '"# wait: check" names "last", and the step has no such check'],
  ['#!/bin/sh\nls', 'is typed line by line, not run: remove the #! line'],
  ['# only a note', 'types nothing'],
])('%j: %s', (text, wanted) => {
  expect(readScript('s', text, CHECKS).problems.map(({ message }) => message)).toEqual([wanted]);
});
