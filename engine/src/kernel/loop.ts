// Loop devices (loop(4)): a learner's disk is one ext4 image file, and a loop device while the sandbox runs.
import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SysError } from '../model/engine-error.ts';
import { bind, checked, lastErrno } from './libc.ts';

const ioctlNumber = bind('int ioctl(int fd, unsigned long request, long argument)');
const ioctlBytes = bind('int ioctl(int fd, unsigned long request, void *argument)');

const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_AUTOCLEAR = 4;
/** struct loop_config: fd, block_size, struct loop_info64 (232 bytes; lo_flags at 52, lo_file_name at 56), reserved. */
const CONFIG_BYTES = 304;
const INFO = 8;
const ATTEMPTS = 64;

export interface LoopDevice {
  readonly path: string;
  /** Lets go: the kernel frees the device once the last mount of it is gone, too (LO_FLAGS_AUTOCLEAR). */
  close(): void;
}

const syscall = bind('long syscall(long number, int directory, const char *path, unsigned int flags)');
const SYS_OPEN_TREE = 428; // the same number on every architecture
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0o2000000;

/**
 * Opens the image through a mount that hangs nowhere, of its own directory: anybody may read a loop device's
 * /sys/block/loopN/loop/backing_file, which then says "/disk.img" and not where on the host, nor whose it is.
 */
function openUnplaced(image: string): number {
  const tree = checked(
    'open_tree',
    image,
    syscall(SYS_OPEN_TREE, AT_FDCWD, dirname(image), OPEN_TREE_CLONE | O_CLOEXEC),
  );
  try {
    return openSync(`/proc/self/fd/${tree}/${basename(image)}`, 'r+');
  } finally {
    closeSync(tree);
  }
}

/** Attaches an image file. Between asking for a free device and taking it another process may take it: EBUSY, ask again. */
export function attachLoop(image: string): LoopDevice {
  const file = openUnplaced(image);
  const control = openSync('/dev/loop-control', 'r+');
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const number = checked('ioctl', '/dev/loop-control', ioctlNumber(control, LOOP_CTL_GET_FREE, 0));
      const path = `/dev/loop${number}`;
      const device = openSync(path, 'r+');
      const config = Buffer.alloc(CONFIG_BYTES);
      config.writeUInt32LE(file, 0);
      config.writeUInt32LE(4096, 4);
      config.writeUInt32LE(LO_FLAGS_AUTOCLEAR, INFO + 52);
      if (ioctlBytes(device, LOOP_CONFIGURE, config) === 0) return { path, close: () => closeSync(device) };
      const errno = lastErrno();
      closeSync(device);
      if (errno !== 'EBUSY') throw new SysError('ioctl', errno, path, `LOOP_CONFIGURE with ${image}`);
    }
    throw new SysError('ioctl', 'EBUSY', '/dev/loop-control', `${ATTEMPTS} free loop devices were taken by others`);
  } finally {
    closeSync(control);
    closeSync(file);
  }
}
