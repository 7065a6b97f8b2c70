// The root file system that `docker import URL` names, as it streams in.
import { EngineError } from '../model/engine-error.ts';

/** Throws invalid_argument for what is no http URL, and where the server does not give it. */
export async function fetchUrl(url: string): Promise<AsyncIterable<Uint8Array>> {
  // Docker takes a name without a scheme for http.
  const whole = /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`;
  if (!/^https?:\/\//i.test(whole))
    throw new EngineError('invalid_argument', `Cannot import from "${url}": only http and https are known`);
  let answer: Response;
  try {
    answer = await fetch(whole);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new EngineError(
      'invalid_argument',
      `Cannot import from "${url}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause: error },
    );
  }
  if (!answer.ok || answer.body === null)
    throw new EngineError('invalid_argument', `Cannot import from "${url}": the server answered ${answer.status}`);
  return answer.body;
}
