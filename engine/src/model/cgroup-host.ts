// Which control group hierarchies a host has, read from the text of mountinfo and /proc/PID/cgroup. Pure; no I/O.

/** v1: controllers on hierarchies of their own. hybrid: the same, and a v2 tree without them. v2: one tree with all. */
export type CgroupFlavour = 'v1' | 'hybrid' | 'v2';

/** One mounted v1 hierarchy. */
export interface V1Hierarchy {
  /** Controllers as mounted ("cpu", "cpuacct"), or the name of a hierarchy without any ("name=systemd"). */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
}

export interface CgroupHost {
  readonly flavour: CgroupFlavour;
  readonly hierarchies: readonly V1Hierarchy[];
  /** Where the v2 tree is mounted; null on a pure v1 host. */
  readonly unified: string | null;
}

/** Super block options of a v1 mount that name no controller. */
const V1_OPTIONS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'cpuset_v2_mode', 'noprefix', 'favordynmods']);

/**
 * Reads the hierarchies from /proc/self/mountinfo (proc_pid_mountinfo(5)). A hierarchy that is mounted twice counts once, at
 * its first place; read-only mounts do not count, nothing can be made there.
 */
export function parseCgroupMounts(mountinfo: string): CgroupHost {
  const hierarchies = new Map<string, V1Hierarchy>();
  let unified: string | null = null;
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const mountPoint = left?.split(' ')[4];
    const [type, , superOptions] = right?.split(' ') ?? [];
    if (mountPoint === undefined || left?.split(' ')[5]?.split(',').includes('ro')) continue;
    if (type === 'cgroup2') unified ??= unescapeMount(mountPoint);
    if (type !== 'cgroup') continue;
    const controllers = (superOptions ?? '')
      .split(',')
      .filter((option) => !V1_OPTIONS.has(option) && !option.startsWith('release_agent='));
    const key = controllers.join(',');
    if (key !== '' && !hierarchies.has(key))
      hierarchies.set(key, { controllers, mountPoint: unescapeMount(mountPoint) });
  }
  // systemd's own v1 hierarchy alone (name=systemd, nothing else) does not take a controller away from v2.
  const v1 = [...hierarchies.values()];
  const hasControllers = v1.some((one) => one.controllers.some((name) => !name.startsWith('name=')));
  if (unified !== null && !hasControllers) return { flavour: 'v2', hierarchies: [], unified };
  return { flavour: unified === null ? 'v1' : 'hybrid', hierarchies: v1, unified };
}

/** mountinfo writes space, tab, newline and backslash as \040, \011, \012, \134. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The v1 hierarchy that carries a controller. */
export function hierarchyOf(host: CgroupHost, controller: string): V1Hierarchy | undefined {
  return host.hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller));
}

/** Controllers without which a sandbox has no bounds. */
export const REQUIRED_CONTROLLERS = ['memory', 'pids', 'cpu'] as const;

/**
 * Required controllers that the host lacks; `available` is the text of cgroup.controllers at the top of the v2 tree. On v1
 * the freezer is needed too, unless a v2 tree stands beside it.
 */
export function missingControllers(host: CgroupHost, available: string): string[] {
  if (host.flavour === 'v2')
    return REQUIRED_CONTROLLERS.filter((name) => !available.trim().split(/\s+/).includes(name));
  const wanted = host.flavour === 'v1' ? [...REQUIRED_CONTROLLERS, 'freezer'] : REQUIRED_CONTROLLERS;
  return wanted.filter((name) => hierarchyOf(host, name) === undefined);
}
