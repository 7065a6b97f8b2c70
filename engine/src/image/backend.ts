// The images as the API's routes see them: each operation is in a file of its own.
import type { ImagesBackend } from '../api/docker/images-backend.ts';
import type { ImagesCreateBackend } from '../api/docker/images-create.ts';
import { EngineError } from '../model/engine-error.ts';
import { completed, parseReference, withTag } from '../model/image-reference.ts';
import { parsePlatform } from '../model/platform.ts';
import { fetchUrl } from './fetch-url.ts';
import type { ImageContext } from './image-context.ts';
import { importImage } from './import.ts';
import { historyOf, inspectImage, listImages } from './list.ts';
import { loadImages } from './load.ts';
import { refusePull } from './pull.ts';
import { pruneImages, removeImage } from './remove.ts';
import { saveImages } from './save.ts';

export function imagesBackend(context: ImageContext): ImagesBackend & ImagesCreateBackend {
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
    import: async (archive, { platform, ...options }, tell) => {
      const isBody = options.source === '-';
      // Named before anything is read: what is refused is refused at once.
      const asked = platform === '' ? {} : { platform: parsePlatform(platform, context.platform) };
      if (!isBody) tell({ status: `Downloading from ${options.source}` });
      const root = isBody ? archive : await fetchUrl(options.source);
      return (await importImage(context, root, { ...options, ...asked })).id;
    },
    pull: (name, tag, platform) => refusePull(context, name, tag, platform),
    save: (names) => saveImages(context, names),
    load: async (archive, tell) => {
      await loadImages(context, archive, tell);
    },
  };
}
