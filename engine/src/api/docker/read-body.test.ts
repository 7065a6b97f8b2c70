import { expect, test } from 'vitest';
import { z } from 'zod';
import { readBody } from './read-body.ts';

const schema = z.object({ DetachKeys: z.string().default(''), Tty: z.boolean().default(false) });

test('a field is found whatever the case of its name; others are ignored', () => {
  expect(readBody(schema, { detachKeys: 'ctrl-p', TTY: true, Other: 1 })).toEqual({ DetachKeys: 'ctrl-p', Tty: true });
  expect(readBody(schema, undefined)).toEqual({ DetachKeys: '', Tty: false });
});

test('what does not fit is named', () => {
  expect(() => readBody(schema, { tty: 'yes' })).toThrow('invalid JSON: Tty: ');
  expect(() => readBody(schema, [])).toThrow('invalid JSON: the body: ');
});
