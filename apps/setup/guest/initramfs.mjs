// The guest's initramfs: a cpio archive with busybox, the modules that reach the disk, the init script, and the tests.
// Not compressed: the emulator reads it from memory faster than the guest could unpack it.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../host-packages.mjs';

/** In the order in which they need each other; overlay makes the read-only root writable. */
const MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci',
  'drivers/block/virtio_blk',
  'fs/overlayfs/overlay',
];

const INIT = `#!/busybox sh
/busybox mkdir -p /dev /image /upper /new
/busybox mount -t devtmpfs dev /dev
for module in ${MODULES.map((path) => path.split('/').at(-1)).join(' ')}; do /busybox insmod /modules/$module.ko; done
/busybox mount -t ext4 -o ro /dev/vda /image
/busybox mount -t tmpfs -o size=50% upper /upper
/busybox mkdir /upper/data /upper/work
/busybox mount -t overlay -o lowerdir=/image,upperdir=/upper/data,workdir=/upper/work root /new
/busybox cp -a /tests/. /new/tests/
/busybox mount --move /dev /new/dev
exec /busybox switch_root /new /tests/start
`;

/** After the root is in place: what a host's boot does, then the tests; -no-reboot makes a reboot the end of the emulator. */
const START = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin HOME=/root DRYDOCK_LAUNCH=/tests/launch
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
# Devices whose node a host's udev makes before their module is loaded; here the module makes it.
for module in loop tun fuse; do modprobe $module; done
hostname guest
ip link set lo up
node --enable-source-maps /tests/main.mjs /dev/ttyS1 /tests/*.guest.test.mjs
echo "node ended with status $?"
reboot -f
`;

/**
 * @param {{ modules: string }} kernel @param {string} tests folder whose files become /tests of the guest
 * @returns {Buffer} a newc archive (kernel Documentation, "initramfs buffer format")
 */
export function initramfs(kernel, tests) {
  const busybox = readFileSync(findProgram('busybox') ?? '/bin/busybox');
  const parts = [
    entry('busybox', busybox, 0o100755),
    entry('init', Buffer.from(INIT), 0o100755),
    entry('modules', Buffer.alloc(0), 0o040755),
    ...MODULES.map((path) =>
      entry(
        `modules/${path.split('/').at(-1)}.ko`,
        readFileSync(join(kernel.modules, 'kernel', `${path}.ko`)),
        0o100644,
      ),
    ),
    entry('tests', Buffer.alloc(0), 0o040755),
    entry('tests/start', Buffer.from(START), 0o100755),
    ...readdirSync(tests).map((name) =>
      entry(`tests/${name}`, readFileSync(join(tests, name)), 0o100000 | (statSync(join(tests, name)).mode & 0o777)),
    ),
    entry('TRAILER!!!', Buffer.alloc(0), 0),
  ];
  return Buffer.concat(parts);
}

let inode = 0;

/** Header, name and content, each padded to four bytes. @param {string} name @param {Buffer} content @param {number} mode */
function entry(name, content, mode) {
  inode += 1;
  const field = (/** @type {number} */ value) => value.toString(16).padStart(8, '0').toUpperCase();
  const nameBytes = Buffer.from(`${name}\0`);
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0];
  const head = Buffer.concat([Buffer.from(`070701${numbers.map(field).join('')}`), nameBytes]);
  return Buffer.concat([pad(head), pad(content)]);
}

/** @param {Buffer} bytes */
function pad(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
