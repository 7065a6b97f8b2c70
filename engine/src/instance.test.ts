import { expect, test } from 'vitest';
import { instanceOf } from './instance.ts';

test('the defaults are those of the contract', () => {
  expect(instanceOf({})).toMatchObject({
    root: '/var/lib/drydock',
    run: '/run/drydock',
    engineSocket: '/run/drydock/engine.sock',
    labSocket: '/run/drydock/lab.sock',
    labGid: 0,
  });
});

test('the id follows the directories: the same for the same, another for others', () => {
  const one = instanceOf({ DRYDOCK_ROOT: '/a', DRYDOCK_RUN: '/b' });
  expect(instanceOf({ DRYDOCK_ROOT: '/a/', DRYDOCK_RUN: '/b' }).id).toBe(one.id);
  expect(instanceOf({ DRYDOCK_ROOT: '/a', DRYDOCK_RUN: '/c' }).id).not.toBe(one.id);
  expect(one.id).toMatch(/^[0-9a-f]{6}$/);
});

test('lab.sock lies beside the engine’s socket', () => {
  expect(instanceOf({ DRYDOCK_SOCKET: '/x/y.sock' }).labSocket).toBe('/x/lab.sock');
});
