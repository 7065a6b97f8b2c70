// Looks at the host: which control group hierarchies are mounted, and what a sandbox would lack.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupHost, missingControllers, parseCgroupMounts } from '../../model/cgroup-host.ts';

/** Hierarchies as this process's mount namespace shows them; nothing is changed. */
export function detectCgroups(): CgroupHost {
  return parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Controllers without which sandboxes are not bounded and so not made; empty on a host that is fit. */
export function lackingControllers(host: CgroupHost): string[] {
  const available =
    host.unified === null ? '' : readFileSync(join(host.unified, 'cgroup.controllers'), { encoding: 'utf8' });
  return missingControllers(host, available);
}
