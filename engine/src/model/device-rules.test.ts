import { expect, test } from 'vitest';
import { deviceList, deviceText, planDevicesV1 } from './device-rules.ts';
import type { OciDeviceRule } from './oci-spec.ts';

const none: OciDeviceRule = { allow: false, access: 'rwm' };
const list = (...rules: OciDeviceRule[]) => {
  const { allowed, exceptions } = deviceList(rules);
  return [allowed ? 'all but' : 'only', ...exceptions.map(deviceText)];
};

test('rules add up to exceptions', () => {
  expect(list()).toEqual(['only']);
  expect(
    list(
      none,
      { allow: true, type: 'c', access: 'm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'wr' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'm' },
      { allow: true, type: 'b', major: 7, minor: -1 },
    ),
  ).toEqual(['only', 'c *:* m', 'c 1:3 rwm', 'b 7:* rwm']);
});

test('a rule for everything starts anew', () => {
  const rule: OciDeviceRule = { allow: true, type: 'c', major: 1, minor: 3 };
  expect(list(none, rule, { allow: true, access: 'rwm' })).toEqual(['all but']);
  expect(list({ allow: true, type: 'a' }, { ...rule, allow: false, access: 'w' })).toEqual(['all but', 'c 1:3 w']);
  expect(list(rule, none)).toEqual(['only']);
});

test('what was allowed can be taken back in whole and in part, not out of a wider rule', () => {
  const null13: OciDeviceRule = { allow: true, type: 'c', major: 1, minor: 3 };
  expect(list(null13, { ...null13, allow: false, access: 'm' })).toEqual(['only', 'c 1:3 rw']);
  expect(list(null13, { ...null13, allow: false })).toEqual(['only']);
  expect(list({ ...null13, allow: false })).toEqual(['only']);
  const wide: OciDeviceRule = { allow: true, type: 'c', major: 1, access: 'r' };
  expect(() => list(wide, { ...null13, allow: false })).toThrow(
    'Cannot take device rule "c 1:3 rwm" back: the wider rule "c 1:* r" holds; give narrower rules instead',
  );
  expect(list(wide, { ...null13, allow: false, access: 'w' })).toEqual(['only', 'c 1:* r']);
  expect(list(wide, { allow: false, type: 'b', major: 1, minor: 3 })).toEqual(['only', 'c 1:* r']);
});

test('access is made of r, w and m', () => {
  expect(() => list({ allow: true, type: 'c', access: 'rx' })).toThrow(
    'Cannot read device access "rx": it is made of r, w and m',
  );
  expect(() => list({ allow: true, type: 'c', access: '' })).toThrow('made of r, w and m');
});

test('v1 writes: cleared before allowed; nothing where all is allowed', () => {
  const writes = planDevicesV1([none, { allow: true, type: 'c', major: 1, minor: 3 }]);
  expect(writes.map(({ file, value }) => `${file} ${value}`)).toEqual(['devices.deny a', 'devices.allow c 1:3 rwm']);
  expect(planDevicesV1([{ allow: true, access: 'rwm' }])).toEqual([]);
  expect(planDevicesV1(undefined)).toEqual([]);
  const all = planDevicesV1([{ allow: true }, { allow: false, type: 'b', major: 8 }]);
  expect(all.map(({ file, value }) => `${file} ${value}`)).toEqual(['devices.deny b 8:* rwm']);
});
