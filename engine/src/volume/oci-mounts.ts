// A container's mounts as its OCI specification has them, from what its record says and what was asked for. Pure.
import type { HostConfig, MountPoint } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciMount } from '../model/oci-spec.ts';
import { askedMounts } from './mount-plan.ts';
import type { MountSpec } from './mount-spec.ts';

export type MountingHostConfig = Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs' | 'VolumeDriver'>;

/** One mount of a container: its point in the record, and how it was asked for; null when it was inherited. */
export interface PlacedMount {
  readonly point: MountPoint;
  readonly spec: MountSpec | null;
}

/** The mounts of a record, each with what was asked for. */
export function placedMounts(mounts: readonly MountPoint[], hostConfig: MountingHostConfig): PlacedMount[] {
  const asked = new Map(askedMounts({ hostConfig }).map((spec) => [spec.destination, spec]));
  return mounts.map((point) => ({ point, spec: asked.get(point.Destination) ?? null }));
}

/** A bind of a host directory or file. `source` is where a volume's data, or its subpath, is found now. */
export function bindMount({ point, spec }: PlacedMount, source: string): OciMount {
  const below = spec?.readOnlyBelow ?? 'when-possible';
  return {
    destination: point.Destination,
    type: 'bind',
    source,
    options: [
      spec?.nonRecursive ? 'bind' : 'rbind',
      point.RW ? 'rw' : 'ro',
      ...(!point.RW && below !== 'never' && !spec?.nonRecursive ? ['rro'] : []),
      point.Propagation || 'rprivate',
    ],
  };
}

const TMPFS_DEFAULTS = ['noexec', 'nosuid', 'nodev'];
/** Words of mount(8) that any file system takes, each with its opposite. */
const FLAG_PAIRS: readonly (readonly [string, string])[] = [
  ['noexec', 'exec'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['ro', 'rw'],
  ['sync', 'async'],
  ['noatime', 'atime'],
  ['nodiratime', 'diratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
];
const PROPAGATION = /^r?(private|slave|shared|unbindable)$/;
const TMPFS_DATA = ['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol', 'huge'];

/** A tmpfs with Docker's defaults; what the user says of the same matter replaces them. Throws `Invalid tmpfs option ["x"]`. */
export function tmpfsMount(destination: string, userOptions: string): OciMount {
  const words = userOptions.split(',').filter((word) => word !== '');
  for (const word of words) {
    const isFlag = FLAG_PAIRS.some((pair) => pair.includes(word)) || PROPAGATION.test(word);
    if (!isFlag && !TMPFS_DATA.includes(word.split('=', 1)[0] ?? ''))
      throw new EngineError('invalid_argument', `Invalid tmpfs option ["${word}"]`);
  }
  const overruled = (word: string) =>
    FLAG_PAIRS.some((pair) => pair.includes(word) && pair.some((one) => words.includes(one)));
  return {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [
      ...TMPFS_DEFAULTS.filter((word) => !overruled(word)),
      ...words,
      ...(words.some((word) => PROPAGATION.test(word)) ? [] : ['rprivate']),
    ],
  };
}

/** The tmpfs mounts that were asked for, by --tmpfs and by --mount. */
export function tmpfsMounts(hostConfig: MountingHostConfig): OciMount[] {
  return askedMounts({ hostConfig })
    .filter(({ type }) => type === 'tmpfs')
    .map(({ destination, tmpfs }) => tmpfsMount(destination, tmpfs));
}

const depth = ({ destination }: OciMount): number => destination.split('/').length;

/** Parents before children: a mount must not cover one that is already made. */
export const parentsFirst = (mounts: readonly OciMount[]): OciMount[] =>
  [...mounts].sort((a, b) => depth(a) - depth(b));
