// Parser of /proc/PID/mountinfo (proc_pid_mountinfo(5)). Pure and bounded: a learner may have 100 000 mounts.
import { completeLines, cut, decimal } from './text.ts';

export interface MountLine {
  id: number;
  parent: number;
  /** "major:minor" of the mounted super block. */
  device: string;
  root: string;
  mountPoint: string;
  options: string;
  /** Optional fields that say how mounts propagate: "shared:7 master:3"; "" when private. */
  propagation: string;
  type: string;
  source: string;
  superOptions: string;
}

const MAX_MOUNTS = 500;
const MAX_FIELD_CHARACTERS = 1024;

/** Space, tab, newline, backslash and "#" are written as \ and three octal digits (seq_path's escapes). */
export const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const field = (text: string | undefined): string => unescapeOctal(cut(text ?? '', MAX_FIELD_CHARACTERS));

/** The first lines of the table, at most 500; a line that is not whole is left out. */
export function parseMountinfo(bytes: Uint8Array): MountLine[] {
  const mounts: MountLine[] = [];
  for (const line of completeLines(bytes)) {
    if (mounts.length === MAX_MOUNTS) break;
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const id = decimal(fields[0]);
    const parent = decimal(fields[1]);
    const device = fields[2];
    if (separator < 0 || fields.length < separator + 4 || id === null || parent === null) continue;
    if (device === undefined || !/^[0-9]{1,10}:[0-9]{1,10}$/.test(device)) continue;
    mounts.push({
      id,
      parent,
      device,
      root: field(fields[3]),
      mountPoint: field(fields[4]),
      options: field(fields[5]),
      propagation: field(fields.slice(6, separator).join(' ')),
      type: field(fields[separator + 1]),
      source: field(fields[separator + 2]),
      // A file system may print spaces here: all the rest belongs to it.
      superOptions: field(fields.slice(separator + 3).join(' ')),
    });
  }
  return mounts;
}
