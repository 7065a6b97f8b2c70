import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

const GIB = 2 ** 30;
/** A start that ends when told to. */
function start() {
  let end = () => undefined as void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { begun: false, end: () => end(), ended };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('three start at once, the others wait at their place and follow in order', async () => {
  const admission = new Admission(() => ({ memoryFree: 10 * GIB, memoryTotal: 16 * GIB }));
  const starts = Array.from({ length: 5 }, start);
  const order: number[] = [];
  const done = starts.map((one, index) =>
    admission.run(`s${index}`, async () => {
      order.push(index);
      await one.ended;
    }),
  );
  await settle();
  expect(order).toEqual([0, 1, 2]);
  expect([admission.place('s0'), admission.place('s3'), admission.place('s4')]).toEqual([null, 1, 2]);
  starts[1]?.end();
  await done[1];
  await settle();
  expect(order).toEqual([0, 1, 2, 3]);
  expect(admission.place('s4')).toBe(1);
  for (const one of starts) one.end();
  await Promise.all(done);
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test('nobody starts while less than a tenth of the memory is free, and a failed start gives its place on', async () => {
  let memoryFree = GIB;
  const admission = new Admission(() => ({ memoryFree, memoryTotal: 16 * GIB }));
  expect(admission.full()).toBe(true);
  const first = admission.run('a', async () => 'a').catch(String);
  await settle();
  expect(admission.place('a')).toBe(1);
  memoryFree = 8 * GIB;
  const second = admission.run('b', () => Promise.reject(new Error('no')));
  await expect(first).resolves.toBe('a');
  await expect(second).rejects.toThrow('no');
  await expect(admission.run('c', async () => 'c')).resolves.toBe('c');
});
