// `docker rmi` and `docker image prune`: which names and images go, and which stay, in Docker's order and words (moby,
// daemon/images: image_delete.go, image_prune.go).
import { type Digest, hexOf, shortId } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import {
  completed,
  familiarName,
  type ImageReference,
  parseReference,
  repositoryOf,
} from '../model/image-reference.ts';
import { type ImageContext, publishImage } from './image-context.ts';
import type { StoredImage } from './stored-image.ts';

export type RemovedItem = { readonly Untagged: string } | { readonly Deleted: string };

export interface RemoveOptions {
  /** In spite of further names and of stopped containers. */
  readonly force: boolean;
  /** Parents that nobody needs go, too. */
  readonly prune: boolean;
}

const conflict = (message: string): EngineError => new EngineError('conflict', message);

/** Throws not_found, and conflict in Docker's words. */
export async function removeImage(context: ImageContext, name: string, options: RemoveOptions): Promise<RemovedItem[]> {
  const { store } = context;
  const image = store.lookup(name);
  const removed: RemovedItem[] = [];
  const references = store.references.of(image.id);
  const byId = image.id.startsWith(name) || hexOf(image.id).startsWith(name);
  if (byId) {
    if (isOneRepository(references)) {
      refuseConflict(context, image, { ...NO_SOFT, stopped: !options.force });
      for (const reference of references) removed.push(untag(context, image, reference));
    }
  } else {
    const [user] = store.usersOf(image.id);
    if (!options.force && isOneRepository(references) && user)
      throw conflict(
        `conflict: unable to remove repository reference "${name}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
      );
    const reference = completed(parseReference(name));
    removed.push(untag(context, image, reference));
    if (reference.digest === undefined) removed.push(...untagDigests(context, image, reference));
    if (store.references.of(image.id).length > 0) return removed;
  }
  await deleteImage(context, image, removed, { ...options, quiet: !byId });
  return removed;
}

/** All names are of one repository, and at most one is a tag. */
function isOneRepository(references: readonly ImageReference[]): boolean {
  const tags = references.filter(({ digest }) => digest === undefined);
  return references.length > 0 && tags.length <= 1 && new Set(references.map(repositoryOf)).size === 1;
}

function untag(context: ImageContext, image: StoredImage, reference: ImageReference): RemovedItem {
  context.store.references.delete(reference);
  publishImage(context, 'untag', image.id);
  return { Untagged: familiarName(reference) };
}

/** With the last tag of a repository its digests go, too: nobody asked for them. */
function untagDigests(context: ImageContext, image: StoredImage, gone: ImageReference): RemovedItem[] {
  const same = context.store.references.of(image.id).filter((one) => repositoryOf(one) === repositoryOf(gone));
  if (same.some(({ digest }) => digest === undefined)) return [];
  return same.map((reference) => untag(context, image, reference));
}

interface Soft {
  readonly names: boolean;
  readonly stopped: boolean;
}
const NO_SOFT: Soft = { names: false, stopped: false };
const ALL_SOFT: Soft = { names: true, stopped: true };

interface Conflict {
  readonly message: string;
  readonly hard: boolean;
  /** By a container. */
  readonly used: boolean;
}

/** What stands against deleting an image; of the reasons that force overrules, those asked for. */
function conflictOf({ store }: ImageContext, image: StoredImage, soft: Soft): Conflict | null {
  if (store.childrenOf(image.id).length > 0)
    return { message: 'image has dependent child images', hard: true, used: false };
  const users = store.usersOf(image.id);
  const [running] = users.filter((user) => user.running);
  if (running)
    return { message: `image is being used by running container ${shortId(running.id)}`, hard: true, used: true };
  if (soft.names && store.references.of(image.id).length > 0)
    return { message: 'image is referenced in multiple repositories', hard: false, used: false };
  const [stopped] = users;
  if (soft.stopped && stopped)
    return { message: `image is being used by stopped container ${shortId(stopped.id)}`, hard: false, used: true };
  return null;
}

const conflictError = (image: StoredImage, { message, hard }: Conflict): EngineError =>
  conflict(`conflict: unable to delete ${shortId(image.id)} (${hard ? 'cannot' : 'must'} be forced) - ${message}`);

function refuseConflict(context: ImageContext, image: StoredImage, soft: Soft): void {
  const found = conflictOf(context, image, soft);
  if (found) throw conflictError(image, found);
}

async function deleteImage(
  context: ImageContext,
  image: StoredImage,
  removed: RemovedItem[],
  { force, prune, quiet }: RemoveOptions & { quiet: boolean },
): Promise<void> {
  const { store } = context;
  const found = conflictOf(context, image, force ? NO_SOFT : ALL_SOFT);
  if (found) {
    const isDangling = store.references.of(image.id).length === 0 && store.childrenOf(image.id).length === 0;
    // A name was asked to go, and has gone: that its image stays needs no words, unless it is left as nobody's.
    if (quiet && (!isDangling || found.used)) return;
    throw conflictError(image, found);
  }
  for (const reference of store.references.of(image.id)) removed.push(untag(context, image, reference));
  const parent = image.record.parent === null ? undefined : store.get(image.record.parent);
  publishImage(context, 'delete', image.id);
  const layers = await store.remove(image.id);
  removed.push({ Deleted: image.id }, ...layers.map((chain) => ({ Deleted: chain })));
  if (prune && parent) await deleteImage(context, parent, removed, { force: false, prune: true, quiet: true });
}

export interface PruneFilters {
  /** False: all images that no container uses. */
  readonly danglingOnly: boolean;
  readonly matchesLabels: (labels: Readonly<Record<string, string>>) => boolean;
  /** Only what was made before this time. */
  readonly untilMs?: number;
}

/** Removes what nobody needs. What is in use stays without a word. */
export async function pruneImages(
  context: ImageContext,
  filters: PruneFilters,
): Promise<{ ImagesDeleted: RemovedItem[] | null; SpaceReclaimed: number }> {
  const { store } = context;
  const deleted: RemovedItem[] = [];
  let bytes = 0;
  for (const image of store.all()) {
    const references = store.references.of(image.id);
    if (references.length === 0 ? store.childrenOf(image.id).length > 0 : filters.danglingOnly) continue;
    if (image.createdAtMs >= (filters.untilMs ?? Infinity)) continue;
    if (!filters.matchesLabels(image.config.config.Labels ?? {})) continue;
    const sizes = new Map<Digest, number>();
    for (const chain of image.chainIds) sizes.set(chain, await store.layers.sizeBytes(chain));
    const names = references.length > 0 ? references.map(familiarName) : [image.id];
    for (const name of names) {
      try {
        const removed = await removeImage(context, name, { force: false, prune: true });
        deleted.push(...removed);
        for (const item of removed) if ('Deleted' in item) bytes += sizes.get(item.Deleted as Digest) ?? 0;
      } catch (error) {
        if (!(error instanceof EngineError) || !['conflict', 'not_found'].includes(error.kind)) throw error;
      }
    }
  }
  context.events.publish('image', 'prune', '', { reclaimed: String(bytes) });
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: bytes };
}
