// Managed volumes and who uses them: made by name or for a container, refused removal while in use, pruned. What a
// container's start needs of them is in volume-mounts.ts.
import { randomBytes } from 'node:crypto';
import type { Events } from '../container/events.ts';
import type { RootfsMount } from '../image/graph-driver.ts';
import type { MountPoint } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciMount } from '../model/oci-spec.ts';
import type { MountPlan } from './mount-plan.ts';
import type { MountSpec } from './mount-spec.ts';
import { placedMounts } from './oci-mounts.ts';
import { checkBindSource, type MountedContainer, mountsOf } from './volume-mounts.ts';
import type { VolumeAttachments } from './volume-attachments.ts';
import { treeBytes } from './tree-size.ts';
import {
  ANONYMOUS_LABEL,
  checkVolumeDriver,
  checkVolumeName,
  checkVolumeOptions,
  isAnonymous,
  isMounted,
  type VolumeRecord,
} from './volume-record.ts';
import type { VolumeStore } from './volume-store.ts';

export interface CreateVolume {
  /** Absent or "": anonymous, 64 hex digits. */
  readonly name?: string;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>> | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  /** The container that is being made, which asks for it. */
  readonly madeFor?: string;
}

/** Copies what an image has at a path into an empty volume; see copy-in.ts. */
export type CopyIn = (rootfs: RootfsMount, path: string, directory: string) => Promise<void>;

export class Volumes {
  readonly #store: VolumeStore;
  readonly #events: Events;
  readonly #copyIn: CopyIn;
  /** Containers that refer to a volume, running or not. */
  readonly #users = new Map<string, Set<string>>();

  readonly #attachments: VolumeAttachments;

  constructor(store: VolumeStore, events: Events, attachments: VolumeAttachments, copyIn: CopyIn) {
    this.#store = store;
    this.#events = events;
    this.#attachments = attachments;
    this.#copyIn = copyIn;
  }

  /** Makes a volume; one of the name that is there already is taken as it is. */
  create(asked: CreateVolume): VolumeRecord {
    const name = asked.name || randomBytes(32).toString('hex');
    checkVolumeName(name);
    checkVolumeDriver(name, asked.driver ?? '');
    const known = this.#store.get(name);
    if (known) return known;
    const options = asked.options ?? null;
    checkVolumeOptions(name, options ?? {});
    const labels = asked.name ? (asked.labels ?? null) : { ...asked.labels, [ANONYMOUS_LABEL]: '' };
    const record: VolumeRecord = {
      name,
      createdAtMs: Date.now(),
      labels,
      options: options && Object.keys(options).length > 0 ? options : null,
      ...(asked.madeFor !== undefined && { madeFor: asked.madeFor }),
    };
    this.#store.create(record);
    this.#events.publish('volume', 'create', name, { driver: 'local' });
    return record;
  }

  /** Throws not_found "get NAME: no such volume". */
  find(name: string): VolumeRecord {
    const record = this.#store.get(name);
    if (!record) throw new EngineError('not_found', `get ${name}: no such volume`);
    return record;
  }

  list(): VolumeRecord[] {
    return this.#store.all();
  }

  mountpoint(name: string): string {
    return this.#store.dataPath(name);
  }

  /** Ids of the containers that refer to it. */
  usersOf(name: string): string[] {
    return [...(this.#users.get(name) ?? [])];
  }

  /** Bytes of its files; -1 for one that is a mount: they are not its own. */
  async sizeBytes(name: string): Promise<number> {
    return isMounted(this.find(name)) ? -1 : treeBytes(this.#store.dataPath(name));
  }

  /** Every volume with its size and how many containers refer to it. */
  async usage(): Promise<{ volume: VolumeRecord; bytes: number; users: number }[]> {
    const usages = [];
    for (const volume of this.list())
      usages.push({ volume, bytes: await this.sizeBytes(volume.name), users: this.usersOf(volume.name).length });
    return usages;
  }

  /** Throws not_found (unless `force`), and conflict while a container, running or not, refers to it. */
  async remove(name: string, force = false): Promise<void> {
    if (force && !this.#store.get(name)) return;
    this.find(name);
    const users = this.usersOf(name);
    if (users.length > 0) throw new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    const removed = this.#store.remove(name);
    this.#events.publish('volume', 'destroy', name, { driver: 'local' });
    await removed;
  }

  /** Removes those that no container refers to: the anonymous ones, or `all`; of these, those that `take` wants. */
  async prune(all: boolean, take: (record: VolumeRecord) => boolean): Promise<{ names: string[]; bytes: number }> {
    const names: string[] = [];
    let bytes = 0;
    for (const record of this.list()) {
      if (!(all || isAnonymous(record)) || !take(record) || this.#users.has(record.name)) continue;
      const size = await this.sizeBytes(record.name);
      // While it was measured somebody may have come, or removed it.
      if (this.#users.has(record.name) || !this.#store.get(record.name)) continue;
      await this.remove(record.name);
      names.push(record.name);
      bytes += Math.max(size, 0);
    }
    this.#events.publish('volume', 'prune', '', { reclaimed: String(bytes) });
    return { names, bytes };
  }

  /**
   * For a container that is being created: makes the volumes of the plan that are not there, fills the empty ones with
   * what `rootfs` has at their place, and notes the container as their user. On failure nothing it made is left.
   */
  async acquire(containerId: string, plan: MountPlan, rootfs: RootfsMount): Promise<MountPoint[]> {
    const made: string[] = [];
    try {
      const fresh: MountPoint[] = [];
      for (const spec of plan.specs) {
        const isNew = spec.type === 'volume' && this.#store.get(spec.name) === undefined;
        const point = this.#pointOf(spec, containerId);
        fresh.push(point);
        if (point.Name === undefined) continue;
        if (isNew) made.push(point.Name);
        this.#use(containerId, point.Name);
        if (spec.copyData) await this.#fill(containerId, this.find(point.Name), rootfs, spec.destination);
      }
      const points = [...plan.inherited, ...fresh];
      this.adopt(containerId, points);
      return points;
    } catch (error) {
      this.release(containerId);
      for (const name of made) if (!this.#users.has(name)) await this.remove(name, true);
      throw error;
    }
  }

  /** One with mount options is filled where its options lead to. */
  async #fill(containerId: string, volume: VolumeRecord, rootfs: RootfsMount, destination: string): Promise<void> {
    await this.#attachments.attach(containerId, volume);
    try {
      await this.#copyIn(rootfs, destination, this.#store.dataPath(volume.name));
    } finally {
      await this.#attachments.detach(containerId);
    }
  }

  /** Before each start, and for a container found running after a restart: mounts what is to be mounted. */
  async attach(container: MountedContainer): Promise<void> {
    const { id } = container;
    for (const [at, { point, spec }] of placedMounts(container.mounts, container.hostConfig).entries()) {
      if (point.Name === undefined) continue;
      await this.#attachments.attach(id, this.find(point.Name));
      if (spec !== null && spec.subpath !== '') await this.#attachments.attachSubpath(id, at, point.Name, spec.subpath);
    }
  }

  /** After each end. */
  async detach(containerId: string): Promise<void> {
    await this.#attachments.detach(containerId);
  }

  /** A container's mounts as its specification has them. */
  mountsOf(container: MountedContainer): OciMount[] {
    return mountsOf(container, (at) => this.#attachments.subpathPlace(container.id, at));
  }

  /** After a restart, when all that run have attached again. */
  collect(runs: (containerId: string) => boolean): Promise<void> {
    return this.#attachments.collect(this.list(), runs);
  }

  #pointOf(spec: MountSpec, madeFor: string): MountPoint {
    const common = {
      Destination: spec.destination,
      Mode: spec.mode,
      RW: !spec.readOnly,
      Propagation: spec.propagation,
    };
    if (spec.type === 'bind' && !spec.createSource) checkBindSource(spec.source);
    if (spec.type !== 'volume') return { Type: spec.type, Source: spec.source, ...common };
    const { name } = this.create({
      name: spec.name,
      driver: spec.driver,
      options: spec.driverOptions,
      labels: Object.keys(spec.labels).length > 0 ? spec.labels : null,
      madeFor,
    });
    return { Type: 'volume', Name: name, Source: this.#store.dataPath(name), Driver: 'local', ...common };
  }

  /** For a container found again after a restart: it uses what its record says. */
  adopt(containerId: string, mounts: readonly MountPoint[]): void {
    for (const { Name } of mounts) if (Name !== undefined && this.#store.get(Name)) this.#use(containerId, Name);
  }

  #use(containerId: string, name: string): void {
    const users = this.#users.get(name) ?? new Set();
    this.#users.set(name, users.add(containerId));
  }

  /** The container refers to no volume any more. */
  release(containerId: string): void {
    for (const [name, users] of this.#users) {
      users.delete(containerId);
      if (users.size === 0) this.#users.delete(name);
    }
  }

  /** After a crash that cut the making of a container short: removes the volumes made for it that nobody else uses. */
  async removeMadeFor(containerId: string): Promise<void> {
    for (const { name, madeFor } of this.#store.all())
      if (madeFor === containerId && !this.#users.has(name)) await this.remove(name);
  }

  /** For `rm -v` and --rm: releases, and removes the anonymous volumes among these mounts that nobody else uses. */
  async releaseAndRemove(containerId: string, mounts: readonly MountPoint[]): Promise<void> {
    this.release(containerId);
    for (const { Name } of mounts) {
      const record = Name === undefined ? undefined : this.#store.get(Name);
      if (record && isAnonymous(record) && !this.#users.has(record.name)) await this.remove(record.name);
    }
  }
}
