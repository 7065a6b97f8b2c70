// What every /dev has, a container's and a sandbox's: nodes, links, and how they are made. Pure.
import { AT_FDCWD } from './steps.ts';
import { call, type CallStep } from '../model/launch-plan.ts';

/** Character devices: name, major, minor (linux Documentation/admin-guide/devices.txt). */
export const COMMON_DEVICES = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
] as const;

/** Name and target of symbolic links. */
export const DEVICE_LINKS = [
  ['ptmx', 'pts/ptmx'],
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
] as const;

/** mknod(2): file type bits. "u" is a character device without a buffer, the same thing today. */
const FILE_TYPE = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 } as const;

/** As the kernel packs a device number into 32 bits: new_encode_dev(). */
export const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);

export interface DeviceNode {
  readonly type: keyof typeof FILE_TYPE;
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number;
}

export function makeDevice(
  { path, type, major, minor, fileMode = 0o666 }: DeviceNode,
  options: Pick<CallStep, 'mayFail' | 'purpose'> = {},
): CallStep {
  const mode = FILE_TYPE[type] | (fileMode & 0o7777);
  return call('mknodat', [AT_FDCWD, path, mode, deviceNumber(major, minor)], options);
}
