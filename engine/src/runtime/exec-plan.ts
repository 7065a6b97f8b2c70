// One more process in a running container, as a launch plan. Pure.
//
//   keeper   outside, stays; only its children are in the container's pid namespace (setns(2), CLONE_NEWPID)
//   program  joins the control groups and the other namespaces, lets go of the host, becomes the program
//
// The container is named by a pidfd of its first process, so that no other that got its number can be entered.
import { groups, writeFile } from '../launch/steps.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../launch/steps.ts';
import { call, type LaunchPlan, slot } from '../model/launch-plan.ts';
import { CLONE_NEW } from '../model/namespace.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import { enterDirectory, executeSteps, letGo } from './execute-steps.ts';
import { identitySteps, rlimitSteps } from './identity-steps.ts';
import { joinGroups, type NativeGroup, ownStdio, processStdio } from './native-plan.ts';

export interface NativeExec {
  readonly process: OciProcess;
  readonly group: NativeGroup;
  readonly openStdin: boolean;
  readonly seccomp: Uint8Array | null;
}

/** All but the pid namespace, which nobody can enter himself, and the user namespace, which is the host's own. */
const NAMESPACES = CLONE_NEW.mnt | CLONE_NEW.net | CLONE_NEW.uts | CLONE_NEW.ipc | CLONE_NEW.cgroup;
const INIT = { given: 'init' } as const;

export function execPlan({ process, group, openStdin, seccomp }: NativeExec): LaunchPlan {
  const keepers = groups('keepers', group.keeperJoin);
  const stdio = processStdio(process, openStdin, 'program');
  const inGroup = group.directory === null ? {} : { cgroup: slot('group') };
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        ...stdio.prepare,
        ...keepers.open,
        ...keepers.join,
        ...(group.directory === null
          ? []
          : [call('openat', [AT_FDCWD, group.directory, O_PATH | O_DIRECTORY | O_CLOEXEC], { save: 'group' })]),
        call('setns', [INIT, CLONE_NEW.pid]),
        { kind: 'clone', flags: 0n, child: 'program', save: 'program', ...inGroup },
        ...stdio.hold,
        { kind: 'keep', pid: slot('program'), ...stdio.keep },
      ],
      program: [
        ...joinGroups(group),
        ...(process.oomScoreAdj === undefined
          ? []
          : writeFile('/proc/self/oom_score_adj', String(process.oomScoreAdj))),
        // By this its root and working directory become the container's, too.
        call('setns', [INIT, NAMESPACES]),
        call('setsid'),
        ...stdio.open,
        ...stdio.take,
        ...ownStdio(process, openStdin),
        ...rlimitSteps(process.rlimits),
        letGo(),
        enterDirectory(process),
        ...identitySteps(process, seccomp),
        ...executeSteps(process),
      ],
    },
  };
}
