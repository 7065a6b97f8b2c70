import { expect, it } from 'vitest';
import { parsePreviewOptions } from './preview.mjs';

it('takes one lesson and a port', () => {
  expect(parsePreviewOptions(['B/b2-pid'])).toEqual({ lesson: 'B/b2-pid', port: 3100 });
  expect(parsePreviewOptions(['B/b2-pid', '--port', '4000'])).toEqual({ lesson: 'B/b2-pid', port: 4000 });
});

it.each([
  [[], 'name one lesson'],
  [['b2-pid'], 'Cannot preview "b2-pid": name one lesson'],
  [['B/a', 'B/b'], 'name one lesson'],
  [['B/a', '--port', 'x'], 'Cannot listen on port "x"'],
  [['B/a', '--prot', '1'], "Unknown option '--prot'"],
])('%j: a sentence', (argv, wanted) => {
  expect(() => parsePreviewOptions(argv)).toThrow(wanted);
});
