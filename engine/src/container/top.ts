// The processes of a container as ps(1) of the host shows them.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngineError } from '../model/engine-error.ts';
import { checkPsArguments, type ProcessTable, tableOf } from '../model/ps-table.ts';
import type { LiveContainer } from './live-container.ts';

const DEFAULT_ARGUMENTS = '-ef';

/** Throws conflict for one that does not run, invalid_argument for arguments that leave no PID column. */
export async function topOfContainer(container: LiveContainer, psArguments?: string): Promise<ProcessTable> {
  const args = (psArguments || DEFAULT_ARGUMENTS).split(/\s+/).filter((argument) => argument !== '');
  checkPsArguments(args);
  const { group, running } = container;
  if (group === null || running === null) {
    const isRestarting = container.state.status === 'restarting';
    throw new EngineError(
      'conflict',
      isRestarting
        ? `Container ${container.id} is restarting, wait until the container is running`
        : `container ${container.id} is not running`,
    );
  }
  const pids = group.members();
  try {
    // All processes, of which those of the container are kept: with -q ps refuses -e and -A (procps-ng).
    const { stdout } = await promisify(execFile)('ps', args, { maxBuffer: 64 * 2 ** 20 });
    return tableOf(stdout, new Set(pids));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new EngineError('unavailable', 'Cannot list processes: this host has no ps; install procps', {
        cause: error,
      });
    throw new EngineError('internal', `ps: ${stderr.trim().split('\n')[0] ?? 'it failed'}`, { cause: error });
  }
}
