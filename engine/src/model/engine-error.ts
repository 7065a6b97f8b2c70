// The errors of the engine: a kind, and one sentence. Kind -> HTTP status happens once, in api/http-status.ts.
export type ErrorKind =
  | 'not_found'
  | 'invalid_argument'
  | 'conflict'
  | 'not_modified'
  | 'permission_denied'
  | 'not_implemented'
  | 'unavailable'
  | 'internal';

/** A failure a user can meet. `message`: action, quoted value, colon, state; then what to do, where there is something. */
export class EngineError extends Error {
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }
}

/** A system call that failed: which, on what, with which errno, and a sentence that teaches. */
export class SysError extends EngineError {
  readonly syscall: string;
  readonly errno: string;
  readonly target: string;
  readonly hint: string | undefined;
  constructor(syscall: string, errno: string, target: string, hint?: string) {
    super('internal', `Cannot ${syscall} "${target}": ${errno}${hint ? ` (${hint})` : ''}`);
    this.name = 'SysError';
    this.syscall = syscall;
    this.errno = errno;
    this.target = target;
    this.hint = hint;
  }
}

/** Whether this is a failed system call with that errno: `isErrno(error, 'ENOENT')`. */
export const isErrno = (error: unknown, errno: string): boolean => error instanceof SysError && error.errno === errno;
