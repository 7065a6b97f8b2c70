// `docker import`: a root file system as an image of one layer.
import { applyChanges } from '../model/config-change.ts';
import { EngineError } from '../model/engine-error.ts';
import { completed, parseReference, withTag } from '../model/image-reference.ts';
import { createImage } from './create-image.ts';
import { publishImage, type ImageContext } from './image-context.ts';
import type { StoredImage } from './stored-image.ts';
import { uncompressed } from './uncompressed.ts';

export interface ImportOptions {
  /** As `history` tells it: "-" for the request's body, or a URL. */
  readonly source: string;
  readonly repository: string;
  readonly tag: string;
  readonly message: string;
  readonly changes: readonly string[];
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** Throws invalid_argument for a name, a change or an archive that is none, before an image is made. */
export async function importImage(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<StoredImage> {
  const { repository, tag } = options;
  const named = repository === '' ? null : parseReference(repository);
  if (named?.digest !== undefined) throw new EngineError('invalid_argument', 'cannot import digest reference');
  const reference = named === null ? null : tag === '' ? completed(named) : withTag(named, tag);
  const defaults = applyChanges({}, options.changes);
  const image = await createImage(context, {
    parent: null,
    layer: uncompressed(archive),
    defaults,
    history: { comment: options.message || `Imported from ${options.source}` },
    comment: options.message || `Imported from ${options.source}`,
    ...(options.platform ? { platform: options.platform } : {}),
  });
  publishImage(context, 'import', image.id);
  if (reference) context.tag(reference, image.id);
  return image;
}
