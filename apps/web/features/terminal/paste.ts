// What is asked before a text is pasted. Pure.

/** Lines that the shell would run at once: the text has a line break somewhere other than at its very end. */
export function linesThatRun(text: string): number {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.length;
}

/** Pasted text as keys: line breaks as Return, and no way out of bracketed paste (ESC [ 2 0 1 ~ removed). */
export function pasteBytes(text: string, bracketed: boolean): string {
  const clean = text.replace(/\r\n?|\n/g, '\r').replaceAll('\u001b', '');
  return bracketed ? `\u001b[200~${clean}\u001b[201~` : clean;
}

/** The only addresses a terminal may offer to open. */
export function isWebAddress(uri: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(uri).protocol);
  } catch {
    return false;
  }
}
