// statx(2), and the types of files as st_mode has them.
import { type ByteString, cString, shown } from './byte-string.ts';
import { bind, checked, lastErrno } from './libc.ts';

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;

const cStatx = bind('int statx(int directory, const void *path, int flags, unsigned int mask, void *result)');

/** Seconds and nanoseconds since 1970; the nanoseconds count upwards, before 1970 too. */
export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

export interface Stat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of 512 bytes each. */
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Of the file system and the inode together: the same for all names of one file. */
  readonly identity: string;
}

const room = Buffer.alloc(256);
const EMPTY = Buffer.from('\0');

const timeAt = (at: number): Time => ({
  sec: room.readInt32LE(at + 4) * 2 ** 32 + room.readUInt32LE(at),
  nsec: room.readUInt32LE(at + 8),
});
const u64 = (at: number): number => room.readUInt32LE(at + 4) * 2 ** 32 + room.readUInt32LE(at);

function parse(): Stat {
  return {
    mode: room.readUInt16LE(28),
    links: room.readUInt32LE(16),
    uid: room.readUInt32LE(20),
    gid: room.readUInt32LE(24),
    size: u64(40),
    blocks: u64(48),
    atime: timeAt(64),
    mtime: timeAt(112),
    rdevMajor: room.readUInt32LE(128),
    rdevMinor: room.readUInt32LE(132),
    // Inode numbers of an overlay use all 64 bits: no double.
    identity: `${room.readUInt32LE(136)}:${room.readUInt32LE(140)}:${room.readBigUInt64LE(32)}`,
  };
}

/** Of the name itself, links not followed; null when there is none. */
export function statAt(directory: number, name: ByteString): Stat | null {
  if (cStatx(directory, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, room) === 0) return parse();
  const errno = lastErrno();
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
  return checked('statx', shown(name), -1) as never;
}

/** Of what a descriptor stands for, one of O_PATH too. */
export function statOf(fd: number, target = `descriptor ${fd}`): Stat {
  checked('statx', target, cStatx(fd, EMPTY, AT_EMPTY_PATH, STATX_BASIC_STATS, room));
  return parse();
}

export const fileType = (stat: Stat): number => stat.mode & S_IFMT;
export const isDirectory = (stat: Stat): boolean => fileType(stat) === S_IFDIR;
/** Overlay's form of "there is nothing here" (Documentation/filesystems/overlayfs.rst, whiteouts and opaque directories). */
export const isWhiteout = (stat: Stat): boolean =>
  fileType(stat) === S_IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0;
