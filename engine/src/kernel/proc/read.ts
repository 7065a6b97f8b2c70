// Reads one process from /proc with as few system calls as it can. A process may vanish between any two of them: all
// is read relative to an open /proc/PID directory, which pins the process (never its successor under the same number).
import { bindUnseen, checked, lastErrno } from '../libc.ts';
import { parseCgroup, type CgroupLine } from './cgroup.ts';
import { parseCmdline } from './cmdline.ts';
import { parseIdMap, type IdExtent } from './id-map.ts';
import { parseMountinfo, type MountLine } from './mountinfo.ts';
import { parseNamespaceLink } from './namespace-link.ts';
import { parseStat, type Stat } from './stat.ts';
import { parseStatus, type Status } from './status.ts';

const openat = bindUnseen('int openat(int, const char *, int)');
const read = bindUnseen('intptr_t read(int, void *, size_t)');
const pread = bindUnseen('intptr_t pread(int, void *, size_t, int64_t)');
const readlinkat = bindUnseen('intptr_t readlinkat(int, const char *, void *, size_t)');
const ioctl = bindUnseen('int ioctl(int, unsigned long, void *)');
const statxCall = bindUnseen('int statx(int, const char *, int, unsigned int, void *)');
const closeFd = bindUnseen('int close(int)');

const AT_FDCWD = -100;
const O_PATH = 0o10000000;
// The same on x86_64 and aarch64, but for O_DIRECTORY.
const O_DIRECTORY = process.arch === 'arm64' ? 0o40000 : 0o200000;
const O_CLOEXEC = 0o2000000;

/** At most so many bytes of each file: what a learner can make as long as he likes is cut. */
const LIMIT = { stat: 4096, status: 16_384, cmdline: 16_384, cgroup: 16_384, idMap: 16_384, mountinfo: 262_144 };
// One buffer for all: reading is synchronous and each parser copies what it keeps.
const buffer = Buffer.alloc(LIMIT.mountinfo);
const NOTHING = new Uint8Array(0);

export type NamespaceLink =
  'pid' | 'mnt' | 'net' | 'uts' | 'ipc' | 'user' | 'cgroup' | 'time' | 'pid_for_children' | 'time_for_children';

const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** openat below a pinned process: null when it is gone or may not be read. Being out of descriptors is no sign of death. */
function openBelow(directory: number, name: string, flags: number): number | null {
  const fd = openat(directory, name, flags | O_CLOEXEC);
  if (fd >= 0) return fd;
  if (EXHAUSTED.has(lastErrno())) checked('openat', name, fd, 'too many open files: raise the daemon’s limit');
  return null;
}

/** An open /proc/PID. Every reader gives null once the process is gone (ESRCH, or ENOENT for what a zombie lacks). */
export class ProcessDirectory {
  readonly fd: number;
  constructor(fd: number) {
    this.fd = fd;
  }
  /** At most `limit` bytes of a file; null when it can't be read. The bytes are valid until the next call. */
  #bytes(name: string, limit: number): Uint8Array | null {
    const fd = openBelow(this.fd, name, 0);
    if (fd === null) return null;
    let length = 0;
    // seq files give a page or so at a time.
    for (;;) {
      const count = read(fd, buffer.subarray(length, limit), limit - length);
      if (count < 0 && length === 0) length = -1;
      if (count <= 0) break;
      length += count;
      if (length === limit) break;
    }
    closeFd(fd);
    return length < 0 ? null : buffer.subarray(0, length);
  }
  stat(): Stat | null {
    return parseStat(this.#bytes('stat', LIMIT.stat) ?? NOTHING);
  }
  status(): Status | null {
    return parseStatus(this.#bytes('status', LIMIT.status) ?? NOTHING);
  }
  argv(): string[] | null {
    const bytes = this.#bytes('cmdline', LIMIT.cmdline);
    return bytes && parseCmdline(bytes);
  }
  /** Null also when the path is longer than PATH_MAX (ENAMETOOLONG): a learner can nest groups so deep. */
  cgroup(): CgroupLine[] | null {
    const bytes = this.#bytes('cgroup', LIMIT.cgroup);
    return bytes && parseCgroup(bytes);
  }
  uidMap(): IdExtent[] | null {
    const bytes = this.#bytes('uid_map', LIMIT.idMap);
    return bytes && parseIdMap(bytes);
  }
  mounts(): MountLine[] | null {
    const bytes = this.#bytes('mountinfo', LIMIT.mountinfo);
    return bytes && parseMountinfo(bytes);
  }
  namespace(link: NamespaceLink): number | null {
    const length = readlinkat(this.fd, `ns/${link}`, buffer, 64);
    return length < 0 ? null : parseNamespaceLink(buffer.subarray(0, length));
  }
  /** A descriptor of ns/`link` for setns or ioctl_ns; the caller closes it. */
  openNamespace(link: NamespaceLink): number | null {
    return openBelow(this.fd, `ns/${link}`, 0);
  }
  /** O_PATH descriptor of the process's root: the link jumps there, no path of the learner's is walked. */
  openRoot(): number | null {
    return openBelow(this.fd, 'root', O_PATH);
  }
  /** A descriptor to read again and again with `readActivity`; the caller closes it. */
  openActivity(): number | null {
    return openBelow(this.fd, 'schedstat', 0);
  }
  close(): void {
    closeFd(this.fd);
  }
}

/** Pins a process by its pid in the reader's pid namespace; null when there is none. Throws SysError when descriptors run out. */
export function openProcess(pid: number): ProcessDirectory | null {
  const fd = openBelow(AT_FDCWD, `/proc/${pid}`, O_DIRECTORY);
  return fd === null ? null : new ProcessDirectory(fd);
}

/**
 * A sign that costs one system call: CPU time, waiting time and turns of the main thread (/proc/PID/schedstat). Whoever
 * did not run did not call unshare, setns or chroot. Null once the process is gone (ESRCH); "" if the kernel keeps none.
 */
export function readActivity(fd: number): string | null {
  const length = pread(fd, buffer, 128, 0);
  if (length < 0) return null;
  const text = buffer.toString('latin1', 0, length);
  return text === '0 0 0\n' ? '' : text;
}

// linux/nsfs.h: _IO(0xb7, 2)
const NS_GET_PARENT = 0xb702;

/** The parent of a pid or user namespace (ioctl_ns(2)), open: the caller closes it. Null for the initial one. */
export function parentNamespace(fd: number): { fd: number; inode: number } | null {
  const parent = ioctl(fd, NS_GET_PARENT, null);
  if (parent < 0) return null;
  return { fd: parent, inode: statFd(parent)?.inode ?? 0 };
}

const AT_EMPTY_PATH = 0x1000;
// Never asks a FUSE or network file system: its server may be the learner's, and silent.
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_INO = 0x100;
const STATX_MNT_ID = 0x1000;
const statxBuffer = Buffer.alloc(256);

export interface FdIdentity {
  device: string;
  inode: number;
  /** As in mountinfo. */
  mountId: number;
}

/** What an O_PATH or ordinary descriptor refers to, from what the kernel has in memory (statx(2)). */
export function statFd(fd: number): FdIdentity | null {
  if (statxCall(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, statxBuffer) < 0) return null;
  return {
    inode: Number(statxBuffer.readBigUInt64LE(32)),
    device: `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}`,
    mountId: Number(statxBuffer.readBigUInt64LE(144)),
  };
}
