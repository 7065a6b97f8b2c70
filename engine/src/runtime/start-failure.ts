// What a user is told when a container or an exec does not start: the failed step in Docker's words. Clients decide by
// them: `docker run` exits 127 for "executable file not found" and "no such file or directory", 126 for "permission denied"
// and "is a directory", else 125. Pure.
import { EngineError } from '../model/engine-error.ts';
import { errnoWords } from '../model/errno-words.ts';
import { PlanError, type StepReport } from '../model/plan-report.ts';

const PREFIX = {
  start:
    'failed to create task for container: failed to create shim task: OCI runtime create failed: unable to start container process: error during container init: ',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process: ',
} as const;
const NOT_FOUND: readonly (string | null)[] = ['ENOENT', 'ENOTDIR', 'EACCES'];

/** An error of launch as the user's; any other stays as it is. */
export function startFailure(error: unknown, what: keyof typeof PREFIX): unknown {
  if (error instanceof PlanError) return failure(reason(error), what, error);
  // Of a specification that no plan can be made of.
  if (error instanceof EngineError && error.kind === 'invalid_argument') return failure(error.message, what, error);
  return error;
}

/** A reason with Docker's prefix, and of the kind that Docker would give it. */
export function failure(why: string, what: keyof typeof PREFIX, cause?: unknown): EngineError {
  const isUsers = ['not found', 'no such file', 'permission denied', 'is a directory', 'not a directory'].some(
    (words) => why.includes(words),
  );
  const kind =
    isUsers || (cause instanceof EngineError && cause.kind === 'invalid_argument') ? 'invalid_argument' : 'internal';
  return new EngineError(kind, `${PREFIX[what]}${why}: unknown`, { cause });
}

function reason({ step, report }: PlanError): string {
  const words = errnoWords(step.errno ?? '');
  const purpose = step.purpose ?? step.call;
  if (step.call === 'execve') return executeReason(step, report.steps);
  // move_mount(2) says EINVAL where mount(2) says ENOTDIR: a directory on a file, or a file on a directory.
  const isMismatch = step.errno === 'ENOTDIR' || (step.call === 'move_mount' && step.errno === 'EINVAL');
  if (isMismatch && purpose.startsWith('error mounting'))
    return `${purpose}: ${errnoWords('ENOTDIR')}: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`;
  return `${purpose}: ${words}`;
}

function executeReason(step: StepReport, steps: readonly StepReport[]): string {
  const purpose = step.purpose ?? 'exec';
  const words = errnoWords(step.errno ?? '');
  const path = JSON.parse(step.args[0] ?? '""') as string;
  const named = JSON.parse(purpose.slice('exec: '.length)) as string;
  if (!named.includes('/'))
    return NOT_FOUND.includes(step.errno) ? `${purpose}: executable file not found in $PATH` : `exec ${path}: ${words}`;
  const before = steps.find(({ block, index }) => block === step.block && index === step.index - 1);
  if (step.errno === 'EACCES') return `${purpose}: ${before?.state === 'done' ? errnoWords('EISDIR') : words}`;
  return NOT_FOUND.includes(step.errno) ? `${purpose}: stat ${path}: ${words}` : `exec ${path}: ${words}`;
}
