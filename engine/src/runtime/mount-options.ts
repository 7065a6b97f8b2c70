// mount(8)'s words, as config.json lists them for each mount, sorted by what the kernel takes them as. Pure.
import { MOUNT_ATTR, MS } from '../launch/mounts.ts';

export interface MountOptions {
  /** MS_* for a new file system. */
  readonly flags: number;
  /** The same wishes for mount_setattr(2), which changes a bind. */
  readonly set: bigint;
  readonly clear: bigint;
  readonly bind: boolean;
  /** rbind: with all that is mounted below. */
  readonly recursive: boolean;
  /** rro: read-only with all that is mounted below. */
  readonly recursiveReadOnly: boolean;
  readonly propagation: { readonly kind: number; readonly recursive: boolean } | null;
  /** What only the file system itself understands: "size=64m", "mode=755". */
  readonly data: string;
}

type Flag = keyof typeof MS;
/** Word: the flag it sets, or the one it takes back. */
const FLAGS: Readonly<Record<string, Flag>> = {
  ro: 'RDONLY',
  nosuid: 'NOSUID',
  nodev: 'NODEV',
  noexec: 'NOEXEC',
  sync: 'SYNCHRONOUS',
  remount: 'REMOUNT',
  mand: 'MANDLOCK',
  dirsync: 'DIRSYNC',
  nosymfollow: 'NOSYMFOLLOW',
  noatime: 'NOATIME',
  nodiratime: 'NODIRATIME',
  relatime: 'RELATIME',
  iversion: 'I_VERSION',
  strictatime: 'STRICTATIME',
  silent: 'SILENT',
};
const OPPOSITES: Readonly<Record<string, Flag>> = {
  rw: 'RDONLY',
  suid: 'NOSUID',
  dev: 'NODEV',
  exec: 'NOEXEC',
  async: 'SYNCHRONOUS',
  nomand: 'MANDLOCK',
  symfollow: 'NOSYMFOLLOW',
  atime: 'NOATIME',
  diratime: 'NODIRATIME',
  norelatime: 'RELATIME',
  noiversion: 'I_VERSION',
  nostrictatime: 'STRICTATIME',
  loud: 'SILENT',
};
const ATTRIBUTES: Readonly<Partial<Record<Flag, bigint>>> = {
  RDONLY: MOUNT_ATTR.RDONLY,
  NOSUID: MOUNT_ATTR.NOSUID,
  NODEV: MOUNT_ATTR.NODEV,
  NOEXEC: MOUNT_ATTR.NOEXEC,
  NODIRATIME: MOUNT_ATTR.NODIRATIME,
  NOSYMFOLLOW: MOUNT_ATTR.NOSYMFOLLOW,
};
const TIMES: Readonly<Partial<Record<Flag, bigint>>> = {
  NOATIME: MOUNT_ATTR.NOATIME,
  RELATIME: MOUNT_ATTR.RELATIME,
  STRICTATIME: MOUNT_ATTR.STRICTATIME,
};
const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
};

/** "rslave" -> {kind: MS.SLAVE, recursive: true}; null for a word that names no propagation. */
export function parsePropagation(word: string): MountOptions['propagation'] {
  const plain = PROPAGATION[word];
  if (plain !== undefined) return { kind: plain, recursive: false };
  const recursive = word.startsWith('r') ? PROPAGATION[word.slice(1)] : undefined;
  return recursive === undefined ? null : { kind: recursive, recursive: true };
}

/** The last word on a matter counts, as with mount(8). */
export function parseMountOptions(words: readonly string[]): MountOptions {
  let flags = 0;
  let [set, clear] = [0n, 0n];
  const found = { bind: false, recursive: false, recursiveReadOnly: false };
  let propagation: MountOptions['propagation'] = null;
  const data: string[] = [];
  for (const word of words) {
    const flag = FLAGS[word];
    const opposite = OPPOSITES[word];
    const attribute = ATTRIBUTES[flag ?? opposite ?? 'MANDLOCK'] ?? 0n;
    const spread = parsePropagation(word);
    if (flag !== undefined) {
      flags |= MS[flag];
      set |= attribute;
      clear &= ~attribute;
      if (TIMES[flag] !== undefined) {
        clear |= MOUNT_ATTR.ATIME;
        set = (set & ~MOUNT_ATTR.ATIME) | TIMES[flag];
      }
    } else if (opposite !== undefined) {
      flags &= ~MS[opposite];
      set &= ~attribute;
      clear |= attribute;
    } else if (word === 'rro') {
      found.recursiveReadOnly = true;
      set |= MOUNT_ATTR.RDONLY;
    } else if (word === 'bind' || word === 'rbind') {
      found.bind = true;
      found.recursive ||= word === 'rbind';
    } else if (spread !== null) propagation = spread;
    else if (word !== 'defaults' && word !== '') data.push(word);
  }
  return { flags, set, clear, ...found, propagation, data: data.join(',') };
}
