// `docker commit`: what a container changed becomes a layer on its image. What the container is, who asks says.
import { applyChanges } from '../model/config-change.ts';
import type { Digest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import type { ImageDefaults } from '../model/image-defaults.ts';
import { completed, parseReference, withTag } from '../model/image-reference.ts';
import { createImage } from './create-image.ts';
import type { ImageContext } from './image-context.ts';
import type { StoredImage } from './stored-image.ts';

/** A container as commit needs it. */
export interface Committed {
  readonly containerId: string;
  /** null: it was made of nothing, or of an image that is gone. */
  readonly imageId: Digest | null;
  /** Its configuration, as an image's. */
  readonly defaults: ImageDefaults;
  /** What it changed, as the plain tar of a layer. */
  readonly changes: AsyncIterable<Uint8Array>;
}

export interface CommitOptions {
  readonly repository: string;
  readonly tag: string;
  readonly author: string;
  readonly comment: string;
  readonly changes: readonly string[];
  /** Of the request's body; replaces what it names. */
  readonly config?: ImageDefaults;
}

/** Throws invalid_argument for a name or a change that is none, before anything is read. */
export async function commitImage(
  context: ImageContext,
  container: Committed,
  options: CommitOptions,
): Promise<StoredImage> {
  const named = options.repository === '' ? null : parseReference(options.repository);
  if (named?.digest !== undefined)
    throw new EngineError('invalid_argument', 'refusing to create a tag with a digest reference');
  const reference = named === null ? null : options.tag === '' ? completed(named) : withTag(named, options.tag);
  const defaults = applyChanges({ ...container.defaults, ...options.config }, options.changes);
  const command = [...(container.defaults.Entrypoint ?? []), ...(container.defaults.Cmd ?? [])].join(' ');
  const parent = container.imageId === null ? null : (context.store.get(container.imageId) ?? null);
  if (container.imageId !== null && parent === null)
    throw new EngineError('not_found', `Cannot commit container: its image ${container.imageId} was removed`);
  const image = await createImage(context, {
    parent,
    layer: container.changes,
    defaults,
    history: {
      created_by: command,
      ...(options.author ? { author: options.author } : {}),
      ...(options.comment ? { comment: options.comment } : {}),
    },
    author: options.author,
    comment: options.comment,
    container: container.containerId,
  });
  if (reference) context.tag(reference, image.id);
  return image;
}
