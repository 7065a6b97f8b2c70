import { expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

it('lets a burst through, then one in a while, and says how long to wait', () => {
  let now = 1000;
  const limit = new RateLimit({ burst: 2, everyMs: 500 }, () => now);
  expect([limit.take(), limit.take(), limit.take()]).toEqual([0, 0, 500]);
  now += 300;
  expect(limit.take()).toBe(200);
  now += 200;
  expect([limit.take(), limit.take()]).toEqual([0, 500]);
  now += 1_000_000;
  expect([limit.take(), limit.take(), limit.take()]).toEqual([0, 0, 500]);
});

it('is not fooled by a clock that goes back', () => {
  let now = 1000;
  const limit = new RateLimit({ burst: 1, everyMs: 500 }, () => now);
  limit.take();
  now = 0;
  expect(limit.take()).toBe(500);
});
