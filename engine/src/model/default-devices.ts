// Which devices a container may use unless told otherwise: Docker's list (moby 28.2, oci/defaults.go) and what every OCI
// runtime adds to it (runc, specconv.AllowedDevices; runtime-spec config-linux.md, "Default devices"). Data, and the reading
// of --device-cgroup-rule. Pure.
import { EngineError } from './engine-error.ts';
import type { OciDeviceRule } from './oci-spec.ts';

const allow = (major: number, minor: number): OciDeviceRule => ({
  allow: true,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

/** What Docker puts into config.json: nothing but zero, null, urandom, random, tty and console. */
export const DOCKER_DEVICES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  allow(1, 5),
  allow(1, 3),
  allow(1, 9),
  allow(1, 8),
  allow(5, 0),
  allow(5, 1),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' }, // fuse
];

/** All: for --privileged. */
export const ALL_DEVICES: readonly OciDeviceRule[] = [{ allow: true, access: 'rwm' }];

/**
 * What a runtime adds after the rules of config.json: making any node (it can't be opened), null, random, full, tty, zero,
 * urandom, pts, ptmx, and /dev/net/tun, which programs count on since Docker's first days.
 */
export const RUNTIME_DEVICES: readonly OciDeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  allow(1, 3),
  allow(1, 8),
  allow(1, 7),
  allow(5, 0),
  allow(1, 5),
  allow(1, 9),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  allow(5, 2),
  allow(10, 200),
];

const RULE = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

/** --device-cgroup-rule, "c 42:* rmw". Throws invalid_argument in moby's words. */
export function parseDeviceRule(text: string): OciDeviceRule {
  const [, type, major, minor, access] = RULE.exec(text) ?? [];
  if (access === undefined || (type !== 'a' && type !== 'b' && type !== 'c'))
    throw new EngineError('invalid_argument', `invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type,
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
    access,
  };
}
