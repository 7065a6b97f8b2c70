import { pino } from 'pino';
import { expect, test } from 'vitest';
import { UndoList } from './undo-list.ts';

test('what was done is taken back in reverse, and one failure does not keep the rest', async () => {
  const undone: string[] = [];
  const lines: string[] = [];
  const undo = new UndoList();
  undo.add('first', () => undone.push('first'));
  undo.add('second', () => Promise.reject(new Error('stuck')));
  undo.add('third', async () => undone.push('third'));
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  await undo.run(log);
  expect(undone).toEqual(['third', 'first']);
  expect(lines.join()).toContain('Cannot take back \\"second\\"');
  await undo.run(log);
  expect(undone).toHaveLength(2);
});
