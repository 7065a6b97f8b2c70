// Takes back what sandboxes and a daemon that could not tidy up left in the kernel: control groups with the processes in them,
// mounts below the state, the nftables table. Everything is found by the instance's own names.
import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './host-packages.mjs';
import { runTool } from './tool.mjs';

const DEADLINE_MS = 10_000;

/**
 * Mount points at or below any of these folders, deepest first, from the text of /proc/self/mountinfo (proc(5)). Pure.
 * @param {string} mountinfo @param {string[]} folders
 */
export function mountsBelow(mountinfo, folders) {
  return mountinfo
    .split('\n')
    .filter(Boolean)
    .map((line) => unescapeMountPath(line.split(' ')[4] ?? ''))
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .toReversed();
}

/** The kernel writes space, tab, newline and backslash as \\ooo. @param {string} text */
function unescapeMountPath(text) {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Mount points of the cgroup hierarchies, v1 and v2. @param {string} mounts text of /proc/mounts */
export function cgroupHierarchies(mounts) {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, point]) => unescapeMountPath(point ?? ''));
}

/** A group and all below it, deepest first. @param {string} group @returns {string[]} */
function groupTree(group) {
  const children = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap(({ name }) => groupTree(join(group, name))), group];
}

/** @param {string} group */
function members(group) {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Ends every process in the instance's groups and removes the groups. Throws where one is still busy after ten seconds.
 * @param {string} name such as drydock-ab12cd34
 */
export async function removeGroups(name) {
  const hierarchies = cgroupHierarchies(readFileSync('/proc/mounts', 'utf8'));
  const groups = hierarchies.map((point) => join(point, name)).filter((group) => existsSync(group));
  const deadline = Date.now() + DEADLINE_MS;
  for (const group of groups) {
    for (;;) {
      const tree = groupTree(group);
      const alive = tree.flatMap(members);
      for (const below of tree) thaw(below);
      for (const pid of alive) kill(pid);
      if (alive.length === 0 && removeTree(tree)) break;
      if (Date.now() > deadline)
        throw new Error(`Cannot remove the control group "${group}": processes ${alive.join(', ')} do not end`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return groups.length;
}

/** A frozen process does not take SIGKILL on v1 before it is thawed. @param {string} group */
function thaw(group) {
  const state = join(group, 'freezer.state');
  if (existsSync(state)) writeFileSync(state, 'THAWED');
}

/** @param {number} pid */
function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended since the list was read.
  }
}

/** False where the kernel still counts a process that is on its way out (EBUSY). @param {string[]} tree */
function removeTree(tree) {
  try {
    for (const group of tree) rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

/** Unmounts what is mounted below the folders, so that removing them can never reach into a mount. @param {string[]} folders */
export async function unmountBelow(folders) {
  for (const point of mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), folders)) {
    await runTool('umount', [point], { advice: `Something still uses it: "fuser -vm ${point}" tells what.` });
  }
}

/** @param {string} table name of a table of family inet */
export async function removeTable(table) {
  const nft = findProgram('nft');
  if (!nft) return false;
  const tables = await runTool(nft, ['list', 'tables']);
  if (!tables.split('\n').includes(`table inet ${table}`)) return false;
  await runTool(nft, ['delete', 'table', 'inet', table]);
  return true;
}

/**
 * Removes the named entries of a folder, then the folder if nothing else is in it.
 * @param {string} folder @param {string[]} names
 * @returns {string[]} what else is there, and stays
 */
export function removeKnown(folder, names) {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  const rest = readdirSync(folder);
  if (rest.length === 0) rmdirSync(folder);
  return rest;
}

/**
 * Which of the installed packages may be removed, by what dpkg-query says: "name essential important" a line. Pure.
 * @param {string} said
 */
export function removablePackages(said) {
  const lines = said
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
  const isHeld = (/** @type {string[]} */ fields) => fields.slice(1).includes('yes');
  const names = (/** @type {string[][]} */ some) => some.map(([name = '']) => name);
  return { remove: names(lines.filter((fields) => !isHeld(fields))), keep: names(lines.filter(isHeld)) };
}
