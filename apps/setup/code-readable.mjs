// The lab server is not root: what it reads of the clone must be readable to all, which a clone made under umask 077 is not.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './tool.mjs';

/**
 * Makes the parts readable (never writable) where a file of them is not. Resolves with true when it changed something.
 * @param {string} clone @param {string[]} parts
 */
export async function makeCodeReadable(clone, parts) {
  const there = parts.filter((part) => existsSync(join(clone, part)));
  // node_modules holds 40 000 files that npm made alike: one package tells.
  const looked = there.map((part) => (part === 'node_modules' ? 'node_modules/next' : part));
  // Links have no modes of their own. -quit: the first one found is enough.
  const query = [
    '!',
    '-type',
    'l',
    '(',
    '!',
    '-perm',
    '-o=r',
    '-o',
    '-type',
    'd',
    '!',
    '-perm',
    '-o=x',
    ')',
    '-print',
    '-quit',
  ];
  const found = await runTool('find', [...looked.filter((part) => existsSync(join(clone, part))), ...query], {
    cwd: clone,
  });
  if (found.trim() === '') return false;
  await runTool('chmod', ['-R', 'a+rX', ...there], { cwd: clone });
  return true;
}
