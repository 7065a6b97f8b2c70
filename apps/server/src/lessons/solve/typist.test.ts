import { expect, test } from 'vitest';
import { endsInPrompt, visibleText } from './typist.ts';

// As bash 5.2 writes it: the line comes back, then bracketed paste is switched on and the prompt follows.
const TYPED = 'echo $$\r\n\u001B[?2004l\r57\r\n';
const PROMPT = '\u001B[?2004h\u001B]0;root@dock: ~\u0007root@dock:~# ';

test('a prompt after the output of a line is seen through control sequences', () => {
  expect(endsInPrompt(TYPED + PROMPT)).toBe(true);
});

test.each([
  ['the prompt the line was typed at', 'root@dock:~# '],
  ['the echo of a line', 'echo # '],
  ['output that goes on', TYPED],
  ['half a prompt', `${TYPED}root@dock:~`],
])('%s is none', (_, text) => expect(endsInPrompt(text)).toBe(false));

test('what is shown has no control sequences left', () => {
  expect(visibleText(TYPED + PROMPT)).toBe('echo $$\n57\nroot@dock:~# ');
});
