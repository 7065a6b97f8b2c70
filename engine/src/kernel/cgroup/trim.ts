// Bounds how many groups a learner makes in v1 hierarchies, which have no cgroup.max.descendants: each memory group costs
// the host kernel memory and one of 65 535 ids that all sandboxes share (one learner made 3 001: tried).
import type { GroupName } from '../../model/cgroup-path.ts';
import { MAX_DESCENDANTS } from '../../model/cgroup-plan.ts';
import { isReachable, walkGroups } from './files.ts';
import { removeBelow } from './remove-below.ts';
import type { RunState } from './run-state.ts';
import type { TrimResult } from './sandbox-group.ts';
import { type SandboxPlace, groupDirectory } from './trees.ts';
import { delegatedHierarchies } from './v1.ts';

/** Groups looked at in one go; more are found by the next call. */
const MOST_GROUPS = 8192;

/** The learner's groups in each delegated hierarchy, parents first, without `inner` and `inner/shell`. */
function learnersGroups(place: SandboxPlace): string[][] {
  return delegatedHierarchies(place).map((hierarchy) => {
    const shell = groupDirectory(hierarchy, place, 'inner/shell');
    return walkGroups(groupDirectory(hierarchy, place, 'inner'), MOST_GROUPS)
      .slice(1)
      .filter((directory) => directory !== shell);
  });
}

const most = (lists: readonly string[][]) => Math.max(0, ...lists.map((list) => list.length));

/** A path too long to be walked hides what is below it: it counts as too many. */
const tooMany = (lists: readonly string[][]) =>
  most(lists) > MAX_DESCENDANTS || lists.some((list) => !list.every(isReachable));

/**
 * Counts, and above the bound halts the sandbox, removes every group that holds no process, and lets it go on. When too many
 * hold one (each needs a thread, so pids.max bounds them), all processes of the learner are ended and the rest is removed.
 */
export async function trimV1Groups(place: SandboxPlace, state: RunState<GroupName>): Promise<TrimResult> {
  const before = learnersGroups(place);
  if (!tooMany(before)) return { groups: most(before), removed: 0, action: 'none' };
  let removed = 0;
  const clear = () => {
    for (const hierarchy of delegatedHierarchies(place)) {
      const shell = groupDirectory(hierarchy, place, 'inner/shell');
      removed += removeBelow(groupDirectory(hierarchy, place, 'inner'), [shell]).removed;
    }
  };
  // One that can't be halted (a process waits for FUSE) would make groups as fast as they are removed: it is ended below.
  const halted = await state.freeze().then(
    () => true,
    () => false,
  );
  try {
    if (halted) clear();
  } finally {
    await state.thaw();
  }
  const after = learnersGroups(place);
  if (halted && !tooMany(after)) return { groups: most(after), removed, action: 'removed' };
  await state.kill('inner');
  clear();
  return { groups: most(learnersGroups(place)), removed, action: 'killed' };
}
