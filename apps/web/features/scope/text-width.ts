// How wide words will be in the drawing, without asking the browser: the monospaced face has one width, Chinese another.

/** Pixels of a text in which a Latin character takes `latin` and a Chinese one `wide`. */
export function textWidth(text: string, latin: number, wide = 12): number {
  let width = 0;
  for (const character of text) width += (character.codePointAt(0) ?? 0) >= 0x2e80 ? wide : latin;
  return width;
}

/** At most `length` characters, the last an ellipsis when something was cut. */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
