// Where a sandbox's groups lie, and how a line of /proc/PID/cgroup reads from inside the sandbox. Pure; no I/O.

/** Groups of a sandbox, below its own: '' is the sandbox's limits group, the others see sandboxGroups. */
export type GroupName = '' | 'inner' | 'inner/shell' | 'keepers';

/** Groups a process can be put into. The sandbox's own has children, so on v2 it can hold no process. */
export type JoinableGroup = Exclude<GroupName, ''>;

/** Top down, as they are made: '' limits; inner is the learner's, root of his cgroup namespace; keepers are the engine's. */
export const SANDBOX_GROUPS: readonly GroupName[] = ['', 'inner', 'inner/shell', 'keepers'];

/** The group of one daemon: all its sandboxes lie in it, and no other daemon touches it. */
export function instanceGroup(instance: string): string {
  return `drydock-${instance}`;
}

/** Path of a group below the mount point of a hierarchy: "drydock-a/anna/inner". */
export function groupPath(instance: string, sandbox: string, group: GroupName): string {
  return [instanceGroup(instance), sandbox, ...(group === '' ? [] : [group])].join('/');
}

/** One line of /proc/PID/cgroup, as kernel/proc/cgroup.ts parses it. */
export interface CgroupLine {
  /** [""] is the v2 tree. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/**
 * A path of /proc/PID/cgroup, read on the host, as the learner's cgroup namespace shows it: "/" is `inner`. Null when the
 * process is not in that sandbox's `inner` (a keeper, another sandbox, the host).
 */
export function pathInside(hostPath: string, instance: string, sandbox: string): string | null {
  // Not only at the start: where the engine runs in a container, its own path comes first. The first group of the
  // instance is the outermost; a learner who makes groups of the same names, or with another learner's, makes them below.
  const marker = `/${groupPath(instance, sandbox, 'inner')}`;
  const at = `${hostPath}/`.indexOf(`${marker}/`);
  if (at < 0 || at !== hostPath.indexOf(`/${instanceGroup(instance)}/`)) return null;
  return hostPath.slice(at + marker.length) || '/';
}

/** Which hierarchy to look at first when a v1 host gives ten answers: the v2 tree, then what lessons limit. */
const ORDER = ['', 'memory', 'pids', 'cpu', 'freezer', 'cpuset', 'blkio', 'cpuacct', 'devices'];

function rank({ controllers }: CgroupLine): number {
  const at = ORDER.findIndex((name) => controllers.includes(name));
  return at < 0 ? ORDER.length : at;
}

/**
 * The one path that says where a process is, from the lines of its /proc/PID/cgroup: on v2 the only one there is; on v1
 * and hybrid the first, in the order v2 tree, memory, pids, cpu …, that is not where the engine puts a learner's
 * processes (`inner`, `inner/shell`), for a learner moves a process in one hierarchy only. Null: not in the sandbox.
 */
export function cgroupInside(lines: readonly CgroupLine[], instance: string, sandbox: string): string | null {
  const paths = lines
    .toSorted((a, b) => rank(a) - rank(b))
    .map((line) => pathInside(line.path, instance, sandbox))
    .filter((path) => path !== null);
  return paths.find((path) => path !== '/' && path !== '/shell') ?? paths[0] ?? null;
}
