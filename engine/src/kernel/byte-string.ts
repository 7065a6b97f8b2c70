// Names of files as the kernel has them: any bytes but NUL and slash, in whatever encoding their maker used. A ByteString
// holds one byte in each of its characters (latin1), so it can be a key, be compared and joined, and loses nothing.
declare const bytewise: unique symbol;

/** One character per byte. Make one with `bytes`; show one with `shown`. */
export type ByteString = string & { readonly [bytewise]: true };

const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** Text, as its UTF-8 bytes. */
export function bytes(text: string): ByteString {
  return Buffer.from(text).toString('latin1') as ByteString;
}

/** Bytes as they are. */
export function fromBuffer(buffer: Uint8Array): ByteString {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString('latin1') as ByteString;
}

/** As text for people and JSON; bytes that are not UTF-8 become U+FFFD. */
export function shown(name: ByteString): string {
  return BEYOND_ASCII.test(name) ? Buffer.from(name, 'latin1').toString() : name;
}

/** What C wants: the bytes and a NUL. */
export function cString(name: ByteString): Buffer {
  return Buffer.from(`${name}\0`, 'latin1');
}

/** "a" and "b" are "a/b"; an empty directory name adds nothing. */
export function joined(directory: ByteString, name: ByteString): ByteString {
  return (directory === '' ? name : `${directory}/${name}`) as ByteString;
}

/** What comes before the last slash, and after it. */
export function splitPath(path: ByteString): { directory: ByteString; name: ByteString } {
  const at = path.lastIndexOf('/');
  return { directory: path.slice(0, Math.max(at, 0)) as ByteString, name: path.slice(at + 1) as ByteString };
}
