// The mounts of config.json: what every container has, then what it was asked for. Pure.
import type { HostConfig } from '../model/container-config.ts';
import type { OciMount, OciSpec } from '../model/oci-spec.ts';
import type { SpecInput } from './spec-input.ts';

const KERNEL = ['nosuid', 'noexec', 'nodev'];

const DEFAULT_MOUNTS: readonly OciMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: KERNEL },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...KERNEL, 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', ...KERNEL] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: KERNEL },
];

/** Stay writable under --read-only: they hold nothing that outlives the container. */
const NEVER_READ_ONLY = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);

function sharedMemory({ IpcMode, ShmSize }: HostConfig, joinedPid: number | undefined): OciMount[] {
  const destination = '/dev/shm';
  const bind = (source: string): OciMount[] => [{ destination, type: 'bind', source, options: ['rbind', 'rprivate'] }];
  if (IpcMode === 'none') return [];
  if (IpcMode === 'host') return bind('/dev/shm');
  // The other container's, in its own mount namespace: as its first process sees it.
  if (IpcMode.startsWith('container:') && joinedPid !== undefined) return bind(`/proc/${joinedPid}/root/dev/shm`);
  return [{ destination, type: 'tmpfs', source: 'shm', options: [...KERNEL, 'mode=1777', `size=${ShmSize}`] }];
}

/** A mount that was asked for takes the place of one that every container has, and /dev that of all below it. */
export function specMounts({ hostConfig, mounts, files, joined }: SpecInput): OciMount[] {
  const asked = new Set(mounts.map(({ destination }) => destination));
  const defaults = [...DEFAULT_MOUNTS, ...sharedMemory(hostConfig, joined.ipc)].filter(
    ({ destination }) => !asked.has(destination) && !(asked.has('/dev') && destination.startsWith('/dev/')),
  );
  const bound = Object.entries(files)
    .filter(([destination]) => !asked.has(destination))
    .map(([destination, source]): OciMount => {
      const options = ['rbind', 'rprivate', ...(hostConfig.ReadonlyRootfs ? ['ro'] : [])];
      return { destination, type: 'bind', source, options };
    });
  return [...defaults.map((one) => adjusted(one, hostConfig)), ...mounts, ...bound];
}

function adjusted(mount: OciMount, { Privileged, ReadonlyRootfs }: HostConfig): OciMount {
  const { destination, type, options = [] } = mount;
  const isFree = Privileged && (destination === '/sys' || type === 'cgroup');
  if (isFree) return { ...mount, options: options.filter((word) => word !== 'ro') };
  if (!ReadonlyRootfs || NEVER_READ_ONLY.has(destination) || options.includes('ro')) return mount;
  return { ...mount, options: [...options, 'ro'] };
}

/** What is mounted in the container reaches the host, or the other way round, only where one of its binds says so. */
export function rootfsPropagation(mounts: readonly OciMount[]): Pick<OciSpec['linux'], 'rootfsPropagation'> {
  const words = new Set(mounts.flatMap(({ options }) => options ?? []));
  if (words.has('shared') || words.has('rshared')) return { rootfsPropagation: 'shared' };
  return words.has('slave') || words.has('rslave') ? { rootfsPropagation: 'rslave' } : {};
}
