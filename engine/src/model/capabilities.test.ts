import { expect, test } from 'vitest';
import {
  CAPABILITIES,
  DOCKER_DEFAULT_CAPABILITIES,
  FULL_CAPABILITIES,
  capabilityNames,
  capabilityNumber,
  capsetData,
  capsetHeader,
  parseCapability,
  parseCapabilitySet,
} from './capabilities.ts';

test('bits are those of linux/capability.h', () => {
  expect(capabilityNumber('SYS_ADMIN')).toBe(21);
  expect(capabilityNumber('SETFCAP')).toBe(31);
  expect(capabilityNumber('CHECKPOINT_RESTORE')).toBe(40);
  expect(CAPABILITIES.length).toBe(41);
});

test('the full set and Docker’s set read as /proc/PID/status prints them', () => {
  expect(FULL_CAPABILITIES).toBe(parseCapabilitySet('000001ffffffffff'));
  expect(DOCKER_DEFAULT_CAPABILITIES).toBe(parseCapabilitySet('00000000a80425fb'));
  expect(capabilityNames(DOCKER_DEFAULT_CAPABILITIES)).toHaveLength(14);
});

test('names are read with and without prefix; what is no capability is null', () => {
  expect(parseCapability('cap_net_admin')).toBe('NET_ADMIN');
  expect(parseCapability('NET_ADMIN')).toBe('NET_ADMIN');
  expect(parseCapability('NET_ADMINS')).toBeNull();
  expect(parseCapabilitySet('1ff')).toBeNull();
});

test('capset structures put the high bits in the second word', () => {
  expect([...capsetHeader()]).toEqual([0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0]);
  const data = new DataView(
    capsetData({ effective: 1n << 21n, permitted: FULL_CAPABILITIES, inheritable: 1n << 40n }).buffer,
  );
  const words = [0, 4, 8, 12, 16, 20].map((at) => data.getUint32(at, true));
  expect(words).toEqual([0x20_0000, 0xffff_ffff, 0, 0, 0x1ff, 0x100]);
});
