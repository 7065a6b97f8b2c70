import { expect, it } from 'vitest';
import { foreignRows } from './foreign.mjs';

it('notes who else sets rules here, and stays silent about others', () => {
  expect(foreignRows(new Set(['bash', 'dockerd', 'sshd']), true).map(({ id, state }) => [id, state])).toEqual([
    ['dockerd', 'note'],
    ['ufw', 'note'],
  ]);
  expect(foreignRows(new Set(['bash']), false)).toEqual([]);
});
