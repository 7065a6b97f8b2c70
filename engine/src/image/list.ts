// `docker images`, `docker image inspect`, `docker history`: images as Docker's API shows them (moby's swagger: ImageSummary,
// ImageInspect, HistoryResponseItem). Changes nothing.
import type { Digest } from '../model/digest.ts';
import { globMatch } from '../model/glob.ts';
import type { ImageDefaults } from '../model/image-defaults.ts';
import { familiarName, familiarRepository } from '../model/image-reference.ts';
import type { ImageContext } from './image-context.ts';
import type { StoredImage } from './stored-image.ts';

export interface ListFilters {
  /** Without a name and without children. */
  readonly dangling?: boolean;
  /** Patterns of names; of each image only the names that match are shown. */
  readonly references?: readonly string[];
  readonly matchesLabels: (labels: Readonly<Record<string, string>>) => boolean;
  /** Names or ids: made before, and after, that image. */
  readonly before?: string;
  readonly since?: string;
  /** Made before this time. */
  readonly untilMs?: number;
}

export interface ListOptions {
  /** Intermediate images too. */
  readonly all: boolean;
  readonly sharedSize: boolean;
  readonly filters: ListFilters;
}

export interface ImageSummary {
  readonly Id: Digest;
  readonly ParentId: string;
  readonly RepoTags: string[];
  readonly RepoDigests: string[];
  /** Seconds. */
  readonly Created: number;
  readonly Size: number;
  /** -1: not asked. */
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** -1: not counted. */
  readonly Containers: number;
}

/** Bytes of all layers of an image. */
export async function imageBytes({ store }: ImageContext, image: StoredImage): Promise<number> {
  let bytes = 0;
  for (const chain of image.chainIds) bytes += await store.layers.sizeBytes(chain);
  return bytes;
}

/** Newest first. Throws not_found for a `before` or `since` that is no image. */
export async function listImages(
  context: ImageContext,
  { all, sharedSize, filters }: ListOptions,
): Promise<ImageSummary[]> {
  const { store } = context;
  const before = filters.before === undefined ? Infinity : store.lookup(filters.before).createdAtMs;
  const since = filters.since === undefined ? -Infinity : store.lookup(filters.since).createdAtMs;
  const summaries: ImageSummary[] = [];
  const shared = sharedSize ? sharedLayers(context) : new Set<Digest>();
  for (const image of store.all()) {
    const { createdAtMs } = image;
    if (createdAtMs >= before || createdAtMs <= since || createdAtMs >= (filters.untilMs ?? Infinity)) continue;
    if (!filters.matchesLabels(image.config.config.Labels ?? {})) continue;
    const references = store.references.of(image.id);
    const hasChildren = store.childrenOf(image.id).length > 0;
    const isDangling = references.length === 0 && !hasChildren;
    if (filters.dangling !== undefined && filters.dangling !== isDangling) continue;
    if (references.length === 0 && hasChildren && !all) continue;
    const shown = references.filter(
      (one) =>
        filters.references?.some(
          (pattern) => globMatch(pattern, familiarName(one)) || globMatch(pattern, familiarRepository(one)),
        ) ?? true,
    );
    if (filters.references !== undefined && shown.length === 0) continue;
    summaries.push({
      Id: image.id,
      ParentId: image.record.parent ?? '',
      RepoTags: shown.filter(({ digest }) => digest === undefined).map(familiarName),
      RepoDigests: shown.filter(({ digest }) => digest !== undefined).map(familiarName),
      Created: Math.floor(createdAtMs / 1000),
      Size: await imageBytes(context, image),
      SharedSize: sharedSize ? await sharedBytes(context, image, shared) : -1,
      Labels: image.config.config.Labels ?? null,
      Containers: -1,
    });
  }
  return summaries.sort((a, b) => b.Created - a.Created);
}

/** Layers that more than one image has. */
function sharedLayers({ store }: ImageContext): Set<Digest> {
  const [once, more] = [new Set<Digest>(), new Set<Digest>()];
  for (const { chainIds } of store.all()) for (const chain of chainIds) (once.has(chain) ? more : once).add(chain);
  return more;
}

async function sharedBytes({ store }: ImageContext, image: StoredImage, shared: ReadonlySet<Digest>): Promise<number> {
  let bytes = 0;
  for (const chain of image.chainIds) if (shared.has(chain)) bytes += await store.layers.sizeBytes(chain);
  return bytes;
}

/** `config` as inspect shows it: what clients of Docker look for is always there. */
export const shownDefaults = (defaults: ImageDefaults) => ({
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
  ...defaults,
});

/** Throws not_found. */
export async function inspectImage(context: ImageContext, name: string) {
  const { store } = context;
  const image = store.lookup(name);
  const { config, record, id } = image;
  const references = store.references.of(id);
  const top = image.chainIds.at(-1);
  return {
    Id: id,
    RepoTags: references.filter(({ digest }) => digest === undefined).map(familiarName),
    RepoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarName),
    Parent: record.parent ?? '',
    Comment: config.comment ?? config.history.at(-1)?.comment ?? '',
    Created: config.created ?? '1970-01-01T00:00:00Z',
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: shownDefaults(config.config),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] === undefined ? {} : { OsVersion: config['os.version'] }),
    Size: await imageBytes(context, image),
    GraphDriver: { Name: store.driverName, Data: top === undefined ? {} : store.layers.shown(top) },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(record.taggedAtMs).toISOString() },
  };
}

export interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** Newest first. Ids are known as far as the image was made here, step by step. */
export async function historyOf(context: ImageContext, name: string): Promise<HistoryItem[]> {
  const { store } = context;
  const image = store.lookup(name);
  const items: HistoryItem[] = [];
  let layer = 0;
  for (const entry of image.config.history) {
    const chain = entry.empty_layer === true ? undefined : image.chainIds[layer];
    if (entry.empty_layer !== true) layer += 1;
    const created = Date.parse(entry.created ?? '');
    items.unshift({
      Id: '<missing>',
      Created: Number.isNaN(created) ? 0 : Math.floor(created / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: chain === undefined ? 0 : await store.layers.sizeBytes(chain),
      Comment: entry.comment ?? '',
    });
  }
  let known: StoredImage | undefined = image;
  return items.map((item) => {
    if (known === undefined) return item;
    const names = store.namesOf(known.id);
    const shown = { ...item, Id: known.id, Tags: names.length > 0 ? names : null };
    known = known.record.parent === null ? undefined : store.get(known.record.parent);
    return shown;
  });
}
