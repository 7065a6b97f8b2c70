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

export interface CgroupLine {
  /** 0 is the v2 tree. */
  readonly hierarchy: number;
  /** Empty for v2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Reads /proc/PID/cgroup (cgroups(7)): "4:memory:/a/b". A group removed under a zombie reads "/a/b (deleted)": the mark goes. */
export function parseProcCgroup(text: string): CgroupLine[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (!match) return [];
    const [, hierarchy, controllers = '', path = ''] = match;
    return [
      {
        hierarchy: Number(hierarchy),
        controllers: controllers === '' ? [] : controllers.split(','),
        path: path.replace(/ \(deleted\)$/, ''),
      },
    ];
  });
}

/**
 * A path of /proc/PID/cgroup, read on the host, as the learner's cgroup namespace shows it: "/" is `inner`. Null when the
 * process is not in that sandbox's `inner` (a keeper, another sandbox, the host).
 */
export function pathInside(hostPath: string, instance: string, sandbox: string): string | null {
  // Not only at the start: where the engine runs in a container, its own path comes first. The first match is the
  // outermost; a learner who makes groups of the same names makes them below it.
  const marker = `/${groupPath(instance, sandbox, 'inner')}`;
  const at = `${hostPath}/`.indexOf(`${marker}/`);
  if (at < 0) return null;
  return hostPath.slice(at + marker.length) || '/';
}

/** Which hierarchy to look at first when a v1 host gives ten answers: the v2 tree, then what lessons limit. */
const ORDER = ['memory', 'pids', 'cpu', 'freezer', 'cpuset', 'blkio', 'cpuacct', 'devices'];

/**
 * The one path that says where a process is, from the text of its /proc/PID/cgroup: on v2 the only one there is; on v1
 * and hybrid the first, in the order v2 tree, memory, pids, cpu …, that is not where the engine puts a learner's
 * processes (`inner`, `inner/shell`), for a learner moves a process in one hierarchy only. Null: not in the sandbox.
 */
export function cgroupInside(procCgroup: string, instance: string, sandbox: string): string | null {
  const rank = ({ hierarchy, controllers }: CgroupLine) => {
    const at = ORDER.findIndex((name) => controllers.includes(name));
    return hierarchy === 0 ? -1 : at < 0 ? ORDER.length : at;
  };
  const paths = parseProcCgroup(procCgroup)
    .sort((a, b) => rank(a) - rank(b))
    .map((line) => pathInside(line.path, instance, sandbox))
    .filter((path) => path !== null);
  return paths.find((path) => path !== '/' && path !== '/shell') ?? paths[0] ?? null;
}
