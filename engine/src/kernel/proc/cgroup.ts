// Parser of /proc/PID/cgroup (cgroups(7)): one line for each hierarchy. Pure.
import { completeLines } from './text.ts';

export interface CgroupLine {
  /** "" for the v2 hierarchy, else v1 controllers or a named hierarchy: ["cpu", "cpuacct"], ["name=systemd"]. */
  controllers: string[];
  path: string;
}

const MAX_LINES = 64;

/** The kernel refuses newlines in group names (mkdir gives EINVAL), so a name can't forge a line; colons may stand in it. */
export function parseCgroup(bytes: Uint8Array): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of completeLines(bytes).slice(0, MAX_LINES)) {
    const found = /^([0-9]{1,10}):([^:]*):(\/.*)$/s.exec(line);
    if (!found?.[3]) continue;
    // The v2 hierarchy appends this to the path of a group that was removed under a zombie.
    const path = found[1] === '0' && found[3].endsWith(' (deleted)') ? found[3].slice(0, -10) : found[3];
    lines.push({ controllers: found[2] ? found[2].split(',') : [''], path });
  }
  return lines;
}

/** The path in the hierarchy of a controller ("" is v2), or null. */
export function cgroupPath(lines: readonly CgroupLine[], controller: string): string | null {
  return lines.find((line) => line.controllers.includes(controller))?.path ?? null;
}
