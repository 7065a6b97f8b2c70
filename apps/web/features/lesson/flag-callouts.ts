// Where the legend of a command's flags stands: under the flag with a leader line when there is room, else as a list. Pure.

import { textWidth } from '../scope/text-width.ts';

export interface Callout {
  flag: string;
  text: string;
  /** Middle of the flag in the command, in characters. */
  at: number;
  /** 1 is the row nearest to the command. */
  row: number;
}

/**
 * Callouts, the rightmost flag nearest to the command so that no leader crosses a text; null when a flag is not found,
 * the command has several lines, or a legend would run past `columns` characters.
 */
export function calloutsOf(
  command: string,
  flags: readonly { flag: string; text: string }[],
  columns: number,
): Callout[] | null {
  if (command.includes('\n') || command.length > columns || flags.length === 0 || flags.length > 4) return null;
  let from = 0;
  const placed: { flag: string; text: string; at: number }[] = [];
  for (const { flag, text } of flags) {
    const start = command.indexOf(flag, from);
    if (start < 0) return null;
    from = start + flag.length;
    const at = start + flag.length / 2;
    // The legend is set smaller than the command; a Chinese character takes one and a half of the command's columns.
    if (at + 3 + textWidth(text, 0.85, 1.5) > columns) return null;
    placed.push({ flag, text, at });
  }
  return placed.toReversed().map((callout, index) => ({ ...callout, row: index + 1 }));
}
