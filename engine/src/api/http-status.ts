// The one place where a kind of error becomes an HTTP status.
import { EngineError, type ErrorKind } from '../model/engine-error.ts';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  not_found: 404,
  invalid_argument: 400,
  conflict: 409,
  not_modified: 304,
  permission_denied: 403,
  not_implemented: 501,
  unavailable: 503,
  internal: 500,
};

/** Status and body of an error answer. Errors that are not ours (Fastify's 413, 415 …) keep their own status. */
export function errorAnswer(error: unknown): { status: number; kind: ErrorKind; message: string } {
  if (error instanceof EngineError) return { status: STATUS[error.kind], kind: error.kind, message: error.message };
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : String(error);
  return { status, kind: status < 500 ? 'invalid_argument' : 'internal', message };
}
