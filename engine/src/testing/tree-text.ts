// For tests: a directory tree as sorted lines of text, as GNU find sees it, with the extended attributes of each file.
import { execFileSync } from 'node:child_process';
import { O_DIRECTORY, O_PATH, openAt, withFd } from '../kernel/at.ts';
import { bytes, fromBuffer, shown, splitPath } from '../kernel/byte-string.ts';
import { getXattr, listXattrs } from '../kernel/xattr.ts';

/** `type mode uid:gid links size mtime path [-> target] [attribute=base64 …]`; sizes and link counts of directories are left out. */
export function treeText(directory: string, options: { readonly times?: boolean } = {}): string[] {
  const format = `%y %m %U:%G %n %s ${options.times === false ? '-' : '%T@'} %P\\0%l\\0`;
  const fields = execFileSync('find', [directory, '-printf', format], { maxBuffer: 1 << 28, encoding: 'latin1' }).split(
    '\0',
  );
  const lines: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const found = /^(\S) (\S+) (\S+) (\d+) (\d+) (\S+) (.*)$/s.exec(fields[at] as string);
    if (found === null) throw new Error(`find said "${fields[at]}"`);
    const [, type, mode, owner, links, size, time, path] = found as unknown as string[];
    const isDirectory = type === 'd';
    const target = fields[at + 1] === '' ? '' : ` -> ${fields[at + 1]}`;
    const whole = fromBuffer(Buffer.from(`${directory}/${path}`, 'latin1'));
    const { directory: parent, name } = splitPath(path === '' ? bytes(`${directory}/.`) : whole);
    const attributes = withFd(openAt(-100, parent, O_PATH | O_DIRECTORY), (fd) =>
      listXattrs(fd, name).map((key) => `${shown(key)}=${getXattr(fd, name, key)?.toString('base64')}`),
    );
    lines.push(
      `${type} ${mode} ${owner} ${isDirectory ? '-' : links} ${isDirectory ? '-' : size} ${time} ${path}${target}${attributes.map((text) => ` ${text}`).join('')}`,
    );
  }
  return lines.sort();
}
