// "/v1.45/info" and "/info" are the same route; a version out of range is answered as Docker answers it. Pure.
import { EngineError } from '../../model/engine-error.ts';

export const API_VERSION = '1.50';
export const MIN_API_VERSION = '1.24';

const minor = (version: string) => Number(version.split('.')[1]);

/** Takes the version off a request's path. Throws invalid_argument for a version this daemon does not speak. */
export function withoutVersion(url: string): string {
  const match = /^\/v(\d+\.\d+)(?=\/)/.exec(url);
  if (!match) return url;
  const version = match[1] as string;
  if (!version.startsWith('1.') || minor(version) > minor(API_VERSION))
    throw new EngineError(
      'invalid_argument',
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`,
    );
  if (minor(version) < minor(MIN_API_VERSION))
    throw new EngineError(
      'invalid_argument',
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  return url.slice(match[0].length);
}

/** The minor version a client speaks, by its request's own path: 45 of "/v1.45/volumes/prune"; without one, ours. */
export const requestedMinor = (originalUrl: string): number =>
  minor(/^\/v(\d+\.\d+)\//.exec(originalUrl)?.[1] ?? API_VERSION);
