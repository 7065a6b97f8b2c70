import { expect, it } from 'vitest';
import { settable, sysctlFile } from './harden.mjs';

const setting = {
  key: 'kernel.kptr_restrict',
  present: '0',
  wanted: 'at least 2',
  met: false,
  value: '2',
  why: 'addresses',
};

it('sets only what is not as it should be, exists in this kernel, and is the set-up’s to decide', () => {
  expect(settable([setting])).toEqual([{ key: 'kernel.kptr_restrict', present: '0', value: '2', why: 'addresses' }]);
  expect(
    settable([
      { ...setting, met: true },
      { ...setting, value: null },
      { ...setting, present: null },
    ]),
  ).toEqual([]);
});

it('writes a file that sysctl.d reads', () => {
  expect(
    sysctlFile([{ key: 'kernel.kptr_restrict', value: '2', why: 'addresses' }])
      .split('\n')
      .slice(1),
  ).toEqual(['# addresses', 'kernel.kptr_restrict = 2', '']);
});
