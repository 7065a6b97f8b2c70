// Everything a new container has mounted besides its root, put together from all the ways to ask for it, in Docker's
// order of precedence (moby, daemon/volumes.go: registerMountPoints). Pure.
import type { ContainerConfig, HostConfig, MountPoint } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { anonymousVolume, cleanPath, type MountSpec, parseBind, parseMount, parseTmpfs } from './mount-spec.ts';

export interface MountAsk {
  readonly hostConfig: Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs' | 'VolumeDriver'>;
  /** The container's own and its image's `Volumes`, merged. */
  readonly volumes: ContainerConfig['Volumes'];
}

/** A --volumes-from, looked up: what that container has mounted. */
export interface InheritedMounts {
  readonly readOnly: boolean;
  readonly mounts: readonly MountPoint[];
}

export interface MountPlan {
  /** Taken over from other containers: they exist already. */
  readonly inherited: readonly MountPoint[];
  /** To be made, and noted in the container's record: all but those of --tmpfs. No destination is in both. */
  readonly specs: readonly MountSpec[];
}

const duplicate = (destination: string): EngineError =>
  new EngineError('invalid_argument', `Duplicate mount point: ${destination}`);

/** Reads all that was asked for. Throws as the parsers do, and "Duplicate mount point: /x" for a place asked for twice. */
export function askedMounts({ hostConfig }: Pick<MountAsk, 'hostConfig'>): MountSpec[] {
  const { Binds, Mounts = [], Tmpfs = {}, VolumeDriver } = hostConfig;
  const asked = new Map<string, MountSpec>();
  for (const spec of [
    ...Object.entries(Tmpfs).map(([path, options]) => parseTmpfs(path, options)),
    ...(Binds ?? []).map((raw) => parseBind(raw, VolumeDriver)),
    ...Mounts.map(parseMount),
  ]) {
    if (asked.has(spec.destination)) throw duplicate(spec.destination);
    asked.set(spec.destination, spec);
  }
  return [...asked.values()];
}

/** Asked-for mounts hide inherited ones; an anonymous volume gives way to both. */
export function planMounts(ask: MountAsk, inheritedFrom: readonly InheritedMounts[] = []): MountPlan {
  const asked = askedMounts(ask);
  const taken = new Set(asked.map(({ destination }) => destination));
  const tmpfs = new Set(Object.keys(ask.hostConfig.Tmpfs ?? {}).map(cleanPath));
  const inherited = new Map<string, MountPoint>();
  for (const { readOnly, mounts } of inheritedFrom)
    for (const mount of mounts)
      if (!taken.has(mount.Destination)) inherited.set(mount.Destination, { ...mount, RW: mount.RW && !readOnly });
  const free = (destination: string) => !taken.has(destination) && !inherited.has(destination);
  const anonymous = [...new Set(Object.keys(ask.volumes ?? {}).map(cleanPath))]
    .filter(free)
    .map((destination) => anonymousVolume(destination, ask.hostConfig.VolumeDriver));
  const noted = asked.filter(({ destination }) => !tmpfs.has(destination));
  return { inherited: [...inherited.values()], specs: [...noted, ...anonymous] };
}
