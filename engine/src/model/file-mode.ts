// st_mode as Go's os.FileMode, which Docker's API speaks (io/fs, FileMode). Pure.
const TYPES: Readonly<Record<number, number>> = {
  0o140000: 2 ** 24, // ModeSocket
  0o120000: 2 ** 27, // ModeSymlink
  0o100000: 0,
  0o060000: 2 ** 26, // ModeDevice
  0o040000: 2 ** 31, // ModeDir
  0o020000: 2 ** 26 + 2 ** 21, // ModeDevice, ModeCharDevice
  0o010000: 2 ** 25, // ModeNamedPipe
};

/** Type and permission bits. */
export function goFileMode(mode: number): number {
  const bit = (from: number, to: number) => ((mode & from) === 0 ? 0 : to);
  const special = bit(0o4000, 2 ** 23) + bit(0o2000, 2 ** 22) + bit(0o1000, 2 ** 20);
  return (TYPES[mode & 0o170000] ?? 0) + special + (mode & 0o777);
}
