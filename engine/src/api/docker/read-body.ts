// A request's JSON body against a schema: what does not fit is the client's error, with the place and the reason.
import { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';

/** Throws invalid_argument `invalid JSON: Labels.a: …`. A body that is absent is an empty object. */
export function readBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const read = schema.safeParse(named(schema, body ?? {}));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  throw new EngineError('invalid_argument', `invalid JSON: ${where}: ${issue?.message ?? 'it does not fit'}`);
}

/** Go takes a field's name in any case, and clients have come to rely on it: docker-py sends "detachKeys". */
function named(schema: z.ZodType, body: unknown): unknown {
  if (!(schema instanceof z.ZodObject) || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const names = new Map(Object.keys(schema.shape).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [names.get(name.toLowerCase()) ?? name, value]),
  );
}
