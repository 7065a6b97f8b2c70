// Volumes as running containers need them on the host: those with mount options are mounted while somebody runs with them,
// and a subpath is bound to a place of its own, found without following a link out of its volume.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Kernel } from '../kernel/kernel.ts';
import { unescapeOctal } from '../kernel/proc/mountinfo.ts';
import { cloneTreeAt, mount, MS, openResolved, showTree } from '../launch/mounts.ts';
import { AT_FDCWD, O_CLOEXEC, O_PATH } from '../launch/steps.ts';
import { EngineError, isErrno, SysError } from '../model/engine-error.ts';
import { call, slot, type Step } from '../model/launch-plan.ts';
import { parseMountOptions } from '../runtime/mount-options.ts';
import { isMounted, type VolumeRecord } from './volume-record.ts';

const MNT_DETACH = 2;
/** openat2(2): links of the volume are followed inside the volume only, and none of /proc. */
const RESOLVE_IN_ROOT_NO_MAGIC = 0x10n | 0x02n;
const STAT_BYTES = 144;
const [S_IFMT, S_IFDIR] = [0o170000, 0o040000];

/** Whether something is mounted right there. */
export function isMountPoint(path: string): boolean {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.some((line) => unescapeOctal(line.split(' ', 5)[4] ?? '') === path);
}

/** mount(2) of a volume's type, device and o. */
export function optionSteps({ options }: VolumeRecord, at: string): Step[] {
  const { type = '', device = '', o = '' } = options ?? {};
  const parsed = parseMountOptions(o.split(',').filter((word) => word !== ''));
  const spread = parsed.propagation;
  return [
    ...(parsed.bind
      ? [
          mount(device, at, null, MS.BIND | (parsed.recursive ? MS.REC : 0)),
          // A bind takes its flags only when it is there already (mount(2), "Remounting").
          ...(parsed.flags === 0 ? [] : [mount(null, at, null, MS.REMOUNT | MS.BIND | parsed.flags)]),
        ]
      : [mount(device, at, type, parsed.flags, parsed.data === '' ? undefined : parsed.data)]),
    ...(spread === null ? [] : [mount(null, at, null, spread.kind | (spread.recursive ? MS.REC : 0))]),
  ];
}

export class VolumeAttachments {
  readonly #kernel: Kernel;
  readonly #subpaths: string;
  readonly #dataPath: (volume: string) => string;
  /** Running containers of each volume that is mounted. */
  readonly #users = new Map<string, Set<string>>();

  /** `subpaths`: a directory that lives as long as the machine is up. */
  constructor(kernel: Kernel, subpaths: string, dataPath: (volume: string) => string) {
    this.#kernel = kernel;
    this.#subpaths = subpaths;
    this.#dataPath = dataPath;
  }

  #run(steps: readonly Step[]) {
    return this.#kernel.run({ start: 'mount', blocks: { mount: steps } });
  }

  /** Mounts a volume for a container, if it is one to be mounted, and it is not. Throws internal in Docker's words. */
  async attach(containerId: string, volume: VolumeRecord): Promise<void> {
    if (!isMounted(volume)) return;
    const users = this.#users.get(volume.name) ?? new Set();
    this.#users.set(volume.name, users.add(containerId));
    const path = this.#dataPath(volume.name);
    if (isMountPoint(path)) return;
    try {
      await this.#run(optionSteps(volume, path));
    } catch (error) {
      if (isMountPoint(path)) await this.#unmount(path);
      await this.detach(containerId);
      if (!(error instanceof SysError)) throw error;
      const { type, device, o } = { type: '', device: '', o: '', ...volume.options };
      throw new EngineError(
        'internal',
        `error while mounting volume '${path}': failed to mount local volume: mount ${device}:${path}, type: ${type}, options: ${o}: ${error.errno}`,
        { cause: error },
      );
    }
  }

  /** The place where a container finds a subpath; `at` tells its mounts apart. */
  subpathPlace(containerId: string, at: number): string {
    return join(this.#subpaths, containerId, String(at));
  }

  /** Binds a directory or file of a volume to `subpathPlace`. Throws internal where it is not there. */
  async attachSubpath(containerId: string, at: number, volume: string, subpath: string): Promise<void> {
    const place = this.subpathPlace(containerId, at);
    if (existsSync(place) && isMountPoint(place)) return; // found again after a restart of the daemon
    const open = [
      call('openat', [AT_FDCWD, this.#dataPath(volume), O_PATH | O_CLOEXEC], { save: 'volume' }),
      openResolved(slot('volume'), subpath, RESOLVE_IN_ROOT_NO_MAGIC, { save: 'found', flags: O_PATH }),
    ];
    try {
      const stat = await this.#run([...open, call('fstat', [slot('found'), { room: STAT_BYTES, name: 'stat' }])]);
      const bytes = stat.rooms.get('stat') ?? new Uint8Array(STAT_BYTES);
      const mode = new DataView(bytes.buffer, bytes.byteOffset).getUint32(process.arch === 'arm64' ? 16 : 24, true);
      mkdirSync(join(this.#subpaths, containerId), { recursive: true, mode: 0o711 });
      if ((mode & S_IFMT) === S_IFDIR) mkdirSync(place, { recursive: true });
      else writeFileSync(place, '');
      const tree = slot('tree');
      await this.#run([...open, cloneTreeAt(slot('found'), '', tree, { recursive: true }), showTree(tree, place)]);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const why = error.errno === 'ENOENT' ? 'no such file or directory' : error.errno;
      throw new EngineError('internal', `cannot access path ${join(this.#dataPath(volume), subpath)}: ${why}`, {
        cause: error,
      });
    }
  }

  /** The container does not run any more: takes down what only it needed. */
  async detach(containerId: string): Promise<void> {
    await this.#removePlaces(containerId);
    for (const [name, users] of this.#users) {
      if (!users.delete(containerId) || users.size > 0) continue;
      this.#users.delete(name);
      await this.#unmount(this.#dataPath(name));
    }
  }

  async #removePlaces(containerId: string): Promise<void> {
    const directory = join(this.#subpaths, containerId);
    if (!existsSync(directory)) return;
    for (const name of readdirSync(directory)) {
      await this.#unmount(join(directory, name));
      // Never recursive: what is still mounted there is the user's.
      if (statSync(join(directory, name)).isDirectory()) rmdirSync(join(directory, name));
      else unlinkSync(join(directory, name));
    }
    rmdirSync(directory);
  }

  async #unmount(path: string): Promise<void> {
    try {
      // Detached: it goes from the host at once, and from those that still have it open when they let go.
      await this.#run([call('umount2', [path, MNT_DETACH])]);
    } catch (error) {
      if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error; // it is not mounted
    }
  }

  /** After a restart, when all that run have attached again: takes down what a crash left mounted. */
  async collect(volumes: readonly VolumeRecord[], runs: (containerId: string) => boolean): Promise<void> {
    for (const volume of volumes) {
      const path = this.#dataPath(volume.name);
      if (isMounted(volume) && !this.#users.has(volume.name) && isMountPoint(path)) await this.#unmount(path);
    }
    for (const id of existsSync(this.#subpaths) ? readdirSync(this.#subpaths) : [])
      if (!runs(id)) await this.#removePlaces(id);
  }
}
