// Bytes of /proc as text. A learner chooses names, arguments and mount points: any byte may stand in them. Pure.
const decoder = new TextDecoder('utf-8');

/** UTF-8 with broken sequences replaced by U+FFFD: always storable as JSON. */
export const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

/** A non-negative decimal number of at most 15 digits (so that it is exact), or null. */
export function decimal(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

/** The complete lines of a file of which perhaps only the beginning was read: what follows the last newline is dropped. */
export function completeLines(bytes: Uint8Array): string[] {
  const end = bytes.lastIndexOf(0x0a);
  return end < 0 ? [] : decode(bytes.subarray(0, end)).split('\n');
}

/** At most so many UTF-16 units of a well-formed text; never half of a surrogate pair. */
export function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  const last = text.charCodeAt(units - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units);
}
