import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { call, type LaunchPlan, slot } from '../model/launch-plan.ts';
import { FakeKernel } from './fake.ts';

const plan: LaunchPlan = {
  start: 'keeper',
  blocks: {
    keeper: [
      { kind: 'clone', flags: 0n, child: 'child', save: 'child' },
      { kind: 'keep', pid: slot('child') },
    ],
    child: [call('fchdir', [{ given: 'root' }]), call('sethostname', ['box', 3])],
  },
};

test('plans are noted, and results are what the test says', async () => {
  const kernel = new FakeKernel();
  kernel.slots = { child: 77 };
  const { report, kept } = await kernel.launch(plan, { directory: '/run/k', descriptors: { root: 5 }, cols: 100 });
  expect(kernel.plans.map((one) => one.plan)).toEqual([plan]);
  expect(report.slots.get('child')).toBe(77);
  expect(report.steps.map((step) => step.state)).toEqual(['done', 'done', 'done', 'done']);
  expect(kept.size.cols).toBe(100);
  expect(await kernel.recover('/run/k')).toBe(kept);
  expect(() => kept.dispose()).toThrow('it is running');
  const fake = kernel.kept.get('/run/k');
  fake?.print(Buffer.from('hello'));
  fake?.end({ code: 3, signal: null });
  expect(await text(kept.follow(1).stream)).toBe('ello');
  expect(await kept.exit).toEqual({ code: 3, signal: null });
  kept.dispose();
  expect(await kernel.recover('/run/k')).toBeNull();
});

test('a step fails where it was asked to, as the real kernel would say it', async () => {
  const kernel = new FakeKernel();
  kernel.failures = [{ plan: 1, block: 'child', index: 1, errno: 'EPERM' }];
  const options = { directory: '/run/a', descriptors: { root: 5 } };
  await kernel.launch(plan, options);
  await expect(kernel.launch(plan, { ...options, directory: '/run/b' })).rejects.toMatchObject({
    syscall: 'sethostname',
    errno: 'EPERM',
    target: 'box',
    step: { block: 'child', index: 1 },
  });
  expect([...kernel.kept.keys()]).toEqual(['/run/a']);
});

test('what the real kernel would refuse is refused', async () => {
  const kernel = new FakeKernel();
  await expect(kernel.launch(plan, { directory: '/run/a' })).rejects.toThrow('a descriptor "root" that was not given');
  await expect(kernel.run({ start: 'x', blocks: {} })).rejects.toThrow('there is no block "x"');
});
