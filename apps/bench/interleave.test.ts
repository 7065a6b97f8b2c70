import { expect, test } from 'vitest';
import { interleave, timed } from './interleave.ts';

test('sides take turns in batches, the first place too, and warm up unseen', async () => {
  const order: string[] = [];
  const side = (name: string) => ({
    name,
    sample: () => {
      order.push(name);
      return Promise.resolve(order.length);
    },
  });
  const taken = await interleave([side('a'), side('b')], { samples: 3, batch: 2 });
  expect(order.join('')).toBe('abaabbba');
  expect(taken.get('a')).toEqual([3, 4, 8]);
  expect(taken.get('b')).toEqual([5, 6, 7]);
});

test('timed waits for what it times', async () => {
  let ended = false;
  const ms = await timed(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    ended = true;
  });
  expect(ended).toBe(true);
  expect(ms).toBeGreaterThan(0);
});
