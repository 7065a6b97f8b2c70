// Probes of file systems and devices: overlay and idmapped mounts as detached mounts (fsopen(2), open_tree(2): no mount
// table ever shows them), loop devices, /dev/net/tun, /dev/fuse.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bind, checked } from '../libc.ts';
import type { ProbeDefinition } from './definition.ts';

// Not in every libc (fsopen: glibc 2.36), so by number; these numbers are the same on all architectures.
const SYS_OPEN_TREE = 428;
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const SYS_MOUNT_SETATTR = 442;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const O_RDONLY = 0;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const MOUNT_ATTR_IDMAP = 0x0010_0000;
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_SET_FD = 0x4c00;
const LOOP_CLR_FD = 0x4c01;

const cOpen = bind('int open(const char *path, int flags)');
const cClose = bind('int close(int fd)');
const cIoctl = bind('int ioctl(int fd, unsigned long request, long argument)');
const openTree = bind('long syscall(long number, int directory, const char *path, unsigned int flags)');
const fsopen = bind('long syscall(long number, const char *type, unsigned int flags)');
const fsconfig = bind(
  'long syscall(long number, int fd, unsigned int command, const char *key, const char *value, int auxiliary)',
);
const fsmount = bind('long syscall(long number, int fd, unsigned int flags, unsigned int attributes)');
const mountSetattr = bind(
  'long syscall(long number, int fd, const char *path, unsigned int flags, const uint8_t *attributes, size_t size)',
);

function inTemporaryDirectory(action: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-probe-'));
  try {
    action(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function withDescriptor(fd: number, action: (fd: number) => void): void {
  try {
    action(fd);
  } finally {
    cClose(fd);
  }
}

function overlay(): undefined {
  inTemporaryDirectory((directory) => {
    for (const name of ['lower', 'upper', 'work']) mkdirSync(join(directory, name));
    withDescriptor(checked('fsopen', 'overlay', fsopen(SYS_FSOPEN, 'overlay', 1)), (fd) => {
      const set = (key: string, value: string): number =>
        checked('fsconfig', key, fsconfig(SYS_FSCONFIG, fd, FSCONFIG_SET_STRING, key, value, 0));
      set('lowerdir', join(directory, 'lower'));
      set('upperdir', join(directory, 'upper'));
      set('workdir', join(directory, 'work'));
      // Sandboxes mount overlays in their own user namespace, where trusted.* attributes can't be written (5.11).
      checked('fsconfig', 'userxattr', fsconfig(SYS_FSCONFIG, fd, FSCONFIG_SET_FLAG, 'userxattr', null, 0));
      checked('mount', 'overlay', fsconfig(SYS_FSCONFIG, fd, FSCONFIG_CMD_CREATE, null, null, 0));
      withDescriptor(checked('fsmount', 'overlay', fsmount(SYS_FSMOUNT, fd, 1, 0)), () => {});
    });
  });
}

/** A descriptor of a user namespace with a map, made by a child that lives only meanwhile. */
function withUserNamespace(action: (fd: number) => void): void {
  const child = spawn('unshare', ['--user', 'sleep', '10'], { stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('unshare (util-linux) did not start');
  try {
    const path = `/proc/${child.pid}/ns/user`;
    const own = readlinkSync('/proc/self/ns/user');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    let waitedMs = 0;
    for (; readlinkSync(path) === own && waitedMs < 5000; waitedMs++) Atomics.wait(pause, 0, 0, 1);
    writeFileSync(`/proc/${child.pid}/uid_map`, '0 1000000 65536');
    writeFileSync(`/proc/${child.pid}/gid_map`, '0 1000000 65536');
    withDescriptor(checked('open', path, cOpen(path, O_RDONLY | O_CLOEXEC)), action);
  } finally {
    child.kill('SIGKILL');
  }
}

function idmappedMount(): undefined {
  inTemporaryDirectory((directory) =>
    withUserNamespace((namespace) => {
      const tree = openTree(SYS_OPEN_TREE, AT_FDCWD, directory, OPEN_TREE_CLONE | O_CLOEXEC);
      withDescriptor(checked('open_tree', directory, tree), (fd) => {
        // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, 8 bytes each.
        const attributes = Buffer.alloc(32);
        attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_IDMAP), 0);
        attributes.writeBigUInt64LE(BigInt(namespace), 24);
        checked(
          'mount_setattr',
          directory,
          mountSetattr(SYS_MOUNT_SETATTR, fd, '', AT_EMPTY_PATH, attributes, attributes.length),
        );
      });
    }),
  );
}

function loopDevice(): undefined {
  inTemporaryDirectory((directory) => {
    const image = join(directory, 'image');
    writeFileSync(image, new Uint8Array(4096));
    withDescriptor(checked('open', '/dev/loop-control', cOpen('/dev/loop-control', O_RDWR | O_CLOEXEC)), (control) =>
      withDescriptor(checked('open', image, cOpen(image, O_RDWR | O_CLOEXEC)), (file) => {
        // Somebody else may take the free device between the two calls (EBUSY): ask again.
        for (let attempt = 1; ; attempt++) {
          const index = checked('ioctl LOOP_CTL_GET_FREE', '/dev/loop-control', cIoctl(control, LOOP_CTL_GET_FREE, 0));
          const path = `/dev/loop${index}`;
          let attached = false;
          withDescriptor(checked('open', path, cOpen(path, O_RDWR | O_CLOEXEC)), (device) => {
            const result = cIoctl(device, LOOP_SET_FD, file);
            if (result < 0 && attempt < 5) return;
            checked('ioctl LOOP_SET_FD', path, result);
            attached = true;
            checked('ioctl LOOP_CLR_FD', path, cIoctl(device, LOOP_CLR_FD, 0));
          });
          if (attached) return;
        }
      }),
    );
  });
}

const device = (path: string) => (): undefined => {
  withDescriptor(checked('open', path, cOpen(path, O_RDWR | O_CLOEXEC)), () => {});
};

export const FILE_PROBES = {
  overlay: {
    needed: true,
    use: 'gives every sandbox its own writable view of one image',
    howToGet: 'Needs Linux 5.11 and "modprobe overlay"; on tmpfs, user.* attributes need Linux 6.6.',
    missing: overlay,
  },
  'idmapped-mounts': {
    needed: true,
    use: 'shows one image to every sandbox with the sandbox’s own owners',
    howToGet:
      'Needs Linux 5.12, and a file system that can do it under /tmp and the state directory (ext4, xfs, btrfs).',
    missing: idmappedMount,
  },
  loop: {
    needed: true,
    use: 'holds each learner’s disk, with a size that cannot be exceeded',
    howToGet: 'Load it with "modprobe loop"; in a container, the host must give /dev/loop-control and /dev/loop*.',
    missing: loopDevice,
  },
  tun: {
    needed: false,
    use: 'lessons that make tun and tap links',
    howToGet: 'Load it with "modprobe tun"; /dev/net/tun must exist.',
    missing: device('/dev/net/tun'),
  },
  fuse: {
    needed: false,
    use: 'file systems in user space, fuse-overlayfs among them',
    howToGet: 'Load it with "modprobe fuse"; /dev/fuse must exist.',
    missing: device('/dev/fuse'),
  },
} as const satisfies Record<string, ProbeDefinition>;
