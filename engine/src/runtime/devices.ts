// Devices that are given to a container as nodes of its /dev: --device, --privileged. Looks at the host's /dev; makes nothing.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciDevice } from '../model/oci-spec.ts';

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;

/** In the host's /dev, but not the machine's: terminals and shared memory are each container's own. */
const NOT_DEVICES = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev']);

/** Throws invalid_argument in Docker's words for a path that is no device and holds none. */
export function givenDevices({ Privileged, Devices }: HostConfig): OciDevice[] {
  const asked = Devices.flatMap(({ PathOnHost, PathInContainer }) => {
    const found = devicesAt(PathOnHost, PathInContainer);
    if (found.length === 0)
      throw new EngineError(
        'invalid_argument',
        `error gathering device information while adding custom device ${JSON.stringify(PathOnHost)}: no such file or directory`,
      );
    return found;
  });
  if (!Privileged) return asked;
  const all = below('/dev', '/dev');
  return [...all, ...asked.filter((one) => !all.some(({ path }) => path === one.path))];
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
