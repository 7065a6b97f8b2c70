// Device rules of config.json (linux.resources.devices) -> what they come to, as the v1 devices controller understands them
// (kernel admin-guide/cgroup-v1/devices.rst, security/device_cgroup.c): all or nothing, and exceptions. Pure.
import type { FileWrite } from './cgroup-plan.ts';
import { EngineError } from './engine-error.ts';
import type { OciDeviceRule } from './oci-spec.ts';

export const ACCESS = ['r', 'w', 'm'] as const;
export type Access = (typeof ACCESS)[number];

/** Devices that are treated other than the rest; null is every number. */
export interface DeviceException {
  readonly type: 'c' | 'b';
  readonly major: number | null;
  readonly minor: number | null;
  readonly access: readonly Access[];
}

export interface DeviceList {
  /** What holds for devices without an exception. */
  readonly allowed: boolean;
  readonly exceptions: readonly DeviceException[];
}

/**
 * Applies rules one after the other, from "all denied". A rule for every type of device starts anew; one that says what
 * holds anyhow is dropped. Throws invalid_argument for one that would punch a hole into a wider exception: v1 passes over
 * such a rule without a word, and who wrote it would think that something is denied.
 */
export function deviceList(rules: readonly OciDeviceRule[]): DeviceList {
  let list: DeviceList = { allowed: false, exceptions: [] };
  for (const rule of rules) {
    const { allow, type = 'a' } = rule;
    if (type === 'a') list = { allowed: allow, exceptions: [] };
    else list = { ...list, exceptions: changed(list, exceptionOf(type, rule), allow !== list.allowed) };
  }
  return list;
}

const number = (value: number | undefined) => (value === undefined || value < 0 ? null : value);

function exceptionOf(type: 'c' | 'b', { major, minor, access = 'rwm' }: OciDeviceRule): DeviceException {
  const letters = access.split('').map((letter) => ACCESS.find((known) => known === letter));
  const known = letters.filter((letter) => letter !== undefined);
  if (known.length !== letters.length || known.length === 0)
    throw new EngineError('invalid_argument', `Cannot read device access "${access}": it is made of r, w and m`);
  return { type, major: number(major), minor: number(minor), access: ACCESS.filter((one) => known.includes(one)) };
}

const same = (a: DeviceException, b: DeviceException) =>
  a.type === b.type && a.major === b.major && a.minor === b.minor;

/** Whether some device belongs to both. */
const overlaps = (a: DeviceException, b: DeviceException) =>
  a.type === b.type &&
  (a.major === null || b.major === null || a.major === b.major) &&
  (a.minor === null || b.minor === null || a.minor === b.minor);

function changed({ exceptions }: DeviceList, rule: DeviceException, add: boolean): DeviceException[] {
  const others = exceptions.filter((one) => !same(one, rule));
  const before = exceptions.find((one) => same(one, rule))?.access ?? [];
  if (add)
    return [...others, { ...rule, access: ACCESS.filter((one) => before.includes(one) || rule.access.includes(one)) }];
  const wider = others.find(
    (one) =>
      overlaps(one, rule) &&
      (one.major === null || one.minor === null) &&
      one.access.some((letter) => rule.access.includes(letter)),
  );
  if (wider)
    throw new EngineError(
      'invalid_argument',
      `Cannot take device rule "${deviceText(rule)}" back: the wider rule "${deviceText(wider)}" holds; give narrower rules instead`,
    );
  const left = before.filter((one) => !rule.access.includes(one));
  return left.length > 0 ? [...others, { ...rule, access: left }] : others;
}

/** A rule as the v1 files have it: "c 1:* rwm". */
export function deviceText({ type, major, minor, access }: DeviceException): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access.join('')}`;
}

/** Writes for a new v1 group, which starts with its parent's list. None when there are no rules, or all is allowed. */
export function planDevicesV1(rules: readonly OciDeviceRule[] | undefined): FileWrite[] {
  if (rules === undefined || rules.length === 0) return [];
  const { allowed, exceptions } = deviceList(rules);
  const write = (allow: boolean, value: string): FileWrite => ({
    controller: 'devices',
    file: allow ? 'devices.allow' : 'devices.deny',
    value,
  });
  const excepted = exceptions.map((one) => write(!allowed, deviceText(one)));
  // "a" clears what was inherited. It is refused (EINVAL) once the group has children.
  return allowed ? excepted : [write(false, 'a'), ...excepted];
}
