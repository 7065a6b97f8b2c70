// `docker pull` while there is no client for registries: it says what is the matter, and what to do instead.
import { EngineError } from '../model/engine-error.ts';
import { completed, familiarName, parseReference, withTag } from '../model/image-reference.ts';
import { parsePlatform } from '../model/platform.ts';
import type { ImageContext } from './image-context.ts';

/** Always throws: not_found for an image that is not here, unavailable for one that is, and might be older than its registry's. */
export function refusePull(context: ImageContext, name: string, tag: string, platform: string): never {
  if (platform !== '') parsePlatform(platform, context.platform);
  const reference = parseReference(name);
  // A digest comes as the tag.
  const asked =
    tag === '' ? completed(reference) : tag.includes(':') ? parseReference(`${name}@${tag}`) : withTag(reference, tag);
  const shown = familiarName(asked);
  const why = 'pulling is not available, this engine has no client for registries yet';
  if (context.store.references.get(asked) !== undefined)
    throw new EngineError('unavailable', `Cannot pull "${shown}": ${why}; it is here already, use it as it is`);
  throw new EngineError(
    'not_found',
    `Cannot pull "${shown}": ${why}; bring it as an archive: docker save there, docker load here`,
  );
}
