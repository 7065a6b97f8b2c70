import { expect, test } from 'vitest';
import { clientsStep, SUITE_CLIENTS, TEST_CLIENTS } from './clients.mjs';

test('nothing is unpacked where the machine has every client', () => {
  expect(clientsStep([{ names: ['no-such-package'], there: () => true }]).done?.()).toBe(true);
  expect(clientsStep([{ names: ['no-such-package'], there: () => false }]).done?.()).toBe(false);
});

test('the suites have every client of the tests, each once', () => {
  const names = SUITE_CLIENTS.map((client) => client.names[0]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(TEST_CLIENTS.map((client) => client.names[0])));
});
