// For kernel tests of exec drivers: a place with a busybox root file system, control groups, and specifications to start
// from; everything of it is unique to one test file, and `remove` takes it all away.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import { createContainerGroups } from '../kernel/cgroup/container-groups.ts';
import { detectCgroups } from '../kernel/cgroup/detect.ts';
import { removeBelow } from '../kernel/cgroup/remove-below.ts';
import type { Kept } from '../kernel/kernel.ts';
import type { OciProcess, OciSpec } from '../model/oci-spec.ts';
import { readChunks } from '../model/output-chunks.ts';
import type { Launchable } from '../runtime/driver.ts';
import { busyboxFiles } from './test-image.ts';
import { freshLaunch } from './launch.ts';

export const CGROUPS = detectCgroups();

export interface NativeWorld {
  readonly directory: string;
  /** The image's root file system, for tests that plant something in it. */
  readonly rootfs: string;
  /** A container to start: what is left out of the specification is as Docker has it. */
  launchable(args: readonly string[], change?: Change): Launchable;
  remove(): Promise<void>;
}

export interface Change {
  readonly process?: Partial<OciProcess>;
  readonly spec?: Partial<Omit<OciSpec, 'linux' | 'process'>>;
  readonly linux?: Partial<OciSpec['linux']>;
  readonly mounts?: OciSpec['mounts'];
  readonly openStdin?: boolean;
  readonly init?: boolean;
}

const CAPABILITIES =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

export const MOUNTS: OciSpec['mounts'] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
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
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'],
  },
];

export function testSpec(ground: string, args: readonly string[], change: Change = {}): OciSpec {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
      cwd: '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        inheritable: [],
        ambient: [],
      },
      oomScoreAdj: 0,
      ...change.process,
    },
    root: { path: ground, readonly: false },
    hostname: 'box',
    mounts: [...MOUNTS, ...(change.mounts ?? [])],
    ...change.spec,
    linux: {
      namespaces: (['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'] as const).map((type) => ({ type })),
      maskedPaths: [
        '/proc/asound',
        '/proc/acpi',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
        '/sys/devices/virtual/powercap',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      ...change.linux,
    },
  };
}

export function nativeWorld(): NativeWorld {
  freshLaunch();
  const directory = mkdtempSync('/dev/shm/drydock-native-');
  const rootfs = join(directory, 'rootfs');
  const ground = join(directory, 'ground');
  const instance = directory.slice(directory.lastIndexOf('-') + 1).toLowerCase();
  const groups = createContainerGroups(CGROUPS, `native-${instance}-${process.pid}`);
  const made: ContainerGroup[] = [];
  for (const one of ['rootfs', 'ground', 'keepers', 'layers']) mkdirSync(join(directory, one));
  busyboxFiles(rootfs);
  let count = 0;
  return {
    directory,
    rootfs,
    launchable(args, change = {}) {
      count += 1;
      const layers = join(directory, 'layers', String(count));
      for (const one of ['upper', 'work']) mkdirSync(join(layers, one), { recursive: true });
      const id = count.toString(16).padStart(64, 'c');
      const group = groups.create(id, {}, null);
      made.push(group);
      return {
        id,
        spec: testSpec(ground, args, { ...change, linux: { cgroupsPath: group.path, ...change.linux } }),
        rootfs: {
          kind: 'overlay',
          lower: [rootfs],
          writable: { upper: join(layers, 'upper'), work: join(layers, 'work') },
          options: [],
        },
        group,
        directory: join(directory, 'keepers', String(count)),
        logPath: join(directory, `log-${count}`),
        openStdin: change.openStdin ?? false,
        init: change.init ?? false,
      };
    },
    async remove() {
      for (const group of made) await group.remove();
      const trees = [...CGROUPS.hierarchies.map(({ mountPoint }) => mountPoint), CGROUPS.unified ?? []].flat();
      for (const tree of trees) {
        const top = join(tree, `drydock-native-${instance}-${process.pid}-containers`);
        removeBelow(top);
        if (existsSync(top)) rmdirSync(top);
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a process wrote to its end, and how it ended; the keeper's directory is removed. */
export async function outcome(
  kept: Kept,
): Promise<{ stdout: string; stderr: string; code: number | null; signal: number | null }> {
  const bytes = await buffer(kept.follow().stream);
  const { code, signal } = await kept.exit;
  kept.dispose();
  const { chunks } = readChunks(bytes);
  const of = (stream: 'stdout' | 'stderr') =>
    Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes)).toString();
  return { stdout: of('stdout'), stderr: of('stderr'), code, signal };
}

/** Names of keepers' directories that are there. */
export const keepersIn = (world: NativeWorld): string[] => readdirSync(join(world.directory, 'keepers'));
