// An overlay as mount(2) takes it: one string of options, at most a page of them. Pure.
import { posix } from 'node:path';
import type { RootfsMount } from './graph-driver.ts';

type Overlay = Extract<RootfsMount, { kind: 'overlay' }>;

/** One page, with its NUL. */
const MAX_BYTES = 4095;

/** overlayfs splits its options at commas and the lower layers at colons; a backslash takes such a character as it is. */
const escape = (path: string): string => path.replaceAll(/[\\,:]/g, String.raw`\$&`);

function optionsOf({ lower, writable, options }: Overlay): string {
  return [
    `lowerdir=${lower.map(escape).join(':')}`,
    ...(writable ? [`upperdir=${escape(writable.upper)}`, `workdir=${escape(writable.work)}`] : []),
    ...options,
  ].join(',');
}

/**
 * The options, and the directory to be in when they are given: null, or, where they would not fit the page with whole
 * paths (some hundred layers), the one that holds the layers, which are named from there.
 */
export function overlayOptions(overlay: Overlay): { readonly directory: string | null; readonly options: string } {
  const whole = optionsOf(overlay);
  if (Buffer.byteLength(whole) <= MAX_BYTES) return { directory: null, options: whole };
  const directory = posix.dirname(overlay.lower[0] as string);
  const lower = overlay.lower.map((path) => posix.relative(directory, path));
  return { directory, options: optionsOf({ ...overlay, lower }) };
}
