// The images as the API's routes see them: each operation is in a file of its own.
import type { ImagesBackend } from '../api/docker/images-backend.ts';
import { EngineError } from '../model/engine-error.ts';
import { completed, parseReference, withTag } from '../model/image-reference.ts';
import type { ImageContext } from './image-context.ts';
import { historyOf, inspectImage, listImages } from './list.ts';
import { loadImages } from './load.ts';
import { pruneImages, removeImage } from './remove.ts';
import { saveImages } from './save.ts';

export function imagesBackend(context: ImageContext): ImagesBackend {
  return {
    list: (options) => listImages(context, options),
    inspect: (name) => inspectImage(context, name),
    history: (name) => historyOf(context, name),
    remove: (name, options) => removeImage(context, name, options),
    prune: (filters) => pruneImages(context, filters),
    tag: (name, repository, tag) => {
      const image = context.store.lookup(name);
      const reference = parseReference(repository);
      if (reference.digest !== undefined)
        throw new EngineError('invalid_argument', 'refusing to create a tag with a digest reference');
      context.tag(tag === '' ? completed(reference) : withTag(reference, tag), image.id);
    },
    save: (names) => saveImages(context, names),
    load: async (archive, tell) => {
      await loadImages(context, archive, tell);
    },
  };
}
