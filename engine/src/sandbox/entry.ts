// What every program entered into a sandbox starts with: groups, limits, filter, environment.
import type { SandboxGroup } from '../kernel/cgroup/sandbox-group.ts';
import type { Entry } from './enter-plan.ts';
import type { SandboxHost } from './host.ts';

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  LANG: 'C.UTF-8',
} as const;

export function entryOf(
  host: Pick<SandboxHost, 'rlimits' | 'seccomp'>,
  group: SandboxGroup,
  program: Pick<Entry, 'argv' | 'cwd'> & { env: Readonly<Record<string, string>> },
): Entry {
  return {
    groups: { keepers: group.joinFiles('keepers'), leaf: group.joinFiles('inner/shell') },
    rlimits: host.rlimits,
    seccomp: host.seccomp,
    argv: program.argv,
    cwd: program.cwd,
    env: { ...ENVIRONMENT, ...program.env },
  };
}
