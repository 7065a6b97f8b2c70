// The last steps of a container's process: let go of everything of the host's, go to the working directory, become the
// program. Pure; what their failures mean to a user is in start-failure.ts.
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../launch/steps.ts';
import { call, type Step, type Value } from '../model/launch-plan.ts';
import { FIRST_GIVEN } from '../model/plan-image.ts';
import type { OciProcess } from '../model/oci-spec.ts';

const CLOSE_RANGE_CLOEXEC = 4;
const LAST = 0xffff_ffff;
/** What exec(3) searches when there is no PATH. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Before any path of the container's is walked: one that leads through /proc/self/fd must find no directory of the host's
 * there (CVE-2024-21626). What launch itself still needs is a pipe.
 */
export function letGo(): Step {
  return call('close_range', [FIRST_GIVEN, LAST, 0]);
}

export function enterDirectory({ cwd }: OciProcess): Step {
  return call('chdir', [cwd], { purpose: `chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed` });
}

/**
 * execve(2), without a shell. A name without a slash is tried in each directory of the container's own PATH; those where
 * it is not there, or can't be run, are passed over, and the last one decides.
 */
export function executeSteps(process: OciProcess): Step[] {
  const [file = ''] = process.args;
  const argv: Value = { strings: process.args };
  const envp: Value = { strings: process.env };
  const closeAll = call('close_range', [3, LAST, CLOSE_RANGE_CLOEXEC]);
  const purpose = `exec: ${JSON.stringify(file)}`;
  if (file.includes('/'))
    return [
      closeAll,
      call('execve', [file, argv, envp], { mayFail: ['EACCES'], purpose }),
      // The kernel says EACCES of a directory, too; a person is told which it is.
      call('openat', [AT_FDCWD, file, O_PATH | O_DIRECTORY | O_CLOEXEC], { mayFail: true, purpose }),
      call('execve', [file, argv, envp], { purpose }),
    ];
  const path = process.env.findLast((one) => one.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const candidates = path.split(':').map((directory) => `${directory === '' ? '.' : directory}/${file}`);
  return [
    closeAll,
    ...candidates.map((candidate, index) =>
      call('execve', [candidate, argv, envp], {
        purpose,
        ...(index === candidates.length - 1 ? {} : { mayFail: ['ENOENT', 'ENOTDIR', 'EACCES'] }),
      }),
    ),
  ];
}
