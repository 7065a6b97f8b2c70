// Devices that are given to a container: --device, --device-cgroup-rule, --privileged; as nodes of /dev and as rules of its
// devices group. Looks at the host's /dev; makes nothing.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciDevice, OciDeviceRule } from '../model/oci-spec.ts';

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;

/** In the host's /dev, but not the machine's: terminals and shared memory are each container's own. */
const NOT_DEVICES = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev']);

export interface GivenDevices {
  readonly devices: readonly OciDevice[];
  /** What comes after DEFAULT_DEVICE_RULES; for a privileged container it is all there is. */
  readonly rules: readonly OciDeviceRule[];
}

/** Of every container: nothing but zero, null, urandom, random, tty, console; mknod of any, which gives no access. */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  ...(
    [
      [1, 5],
      [1, 3],
      [1, 9],
      [1, 8],
      [5, 0],
      [5, 1],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as const),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
  // What runc adds for every container (libcontainer/specconv, AllowedDevices).
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** All rules of the devices group, in order. Throws like givenDevices. */
export function deviceRules(hostConfig: HostConfig): OciDeviceRule[] {
  const { rules } = givenDevices(hostConfig);
  return hostConfig.Privileged ? [...rules] : [...DEFAULT_DEVICE_RULES, ...rules];
}

/** Throws invalid_argument in Docker's words for a path that is no device and holds none, or a rule that is none. */
export function givenDevices(hostConfig: HostConfig): GivenDevices {
  const { Privileged, Devices, DeviceCgroupRules } = hostConfig;
  const asked = Devices.map((mapping) => ({ mapping, found: devicesAt(mapping.PathOnHost, mapping.PathInContainer) }));
  for (const { mapping, found } of asked)
    if (found.length === 0)
      throw new EngineError(
        'invalid_argument',
        `error gathering device information while adding custom device ${JSON.stringify(mapping.PathOnHost)}: no such file or directory`,
      );
  if (Privileged) {
    const all = below('/dev', '/dev');
    const more = asked.flatMap(({ found }) => found).filter((one) => !all.some(({ path }) => path === one.path));
    return { devices: [...all, ...more], rules: [{ allow: true, access: 'rwm' }] };
  }
  return {
    devices: asked.flatMap(({ found }) => found),
    rules: [
      ...asked.flatMap(({ mapping, found }) =>
        found.map(({ type, major, minor }) => ({
          allow: true,
          type: type === 'b' ? ('b' as const) : ('c' as const),
          major,
          minor,
          access: mapping.CgroupPermissions || 'rwm',
        })),
      ),
      ...(DeviceCgroupRules ?? []).map(parseRule),
    ],
  };
}

/** "c 13:* rwm" */
function parseRule(text: string): OciDeviceRule {
  const [, type, major, minor, access] = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type === undefined || access === undefined)
    throw new EngineError('invalid_argument', `invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type: type as 'a' | 'c' | 'b',
    access,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
  };
}

/** A device as one, a directory as all devices in it. */
function devicesAt(hostPath: string, path: string): OciDevice[] {
  const stat = statSync(hostPath, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if ((stat.mode & S_IFMT) === S_IFDIR) return below(realpathSync(hostPath), path);
  const device = deviceOf(hostPath, path);
  return device === null ? [] : [device];
}

function below(directory: string, path: string): OciDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_DEVICES.has(entry.name) || entry.isSymbolicLink()) return [];
    const [hostPath, shown] = [join(directory, entry.name), `${path}/${entry.name}`];
    if (entry.isDirectory()) return below(hostPath, shown);
    const device = deviceOf(hostPath, shown);
    return device === null ? [] : [device];
  });
}

function deviceOf(hostPath: string, path: string): OciDevice | null {
  const stat = statSync(hostPath, { throwIfNoEntry: false });
  const kind = (stat?.mode ?? 0) & S_IFMT;
  if (stat === undefined || (kind !== S_IFCHR && kind !== S_IFBLK)) return null;
  // As the kernel packs it into 64 bits for stat(2): major 12 bits from 8 on, minor 8 bits and the rest from 20 on.
  const major = (stat.rdev >>> 8) & 0xfff;
  const minor = (stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xf_ff00);
  const fileMode = stat.mode & 0o7777;
  return { type: kind === S_IFBLK ? 'b' : 'c', path, major, minor, fileMode, uid: stat.uid, gid: stat.gid };
}
