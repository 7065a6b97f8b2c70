// Mount options of a tmpfs: those that --mount gives as numbers, written as mount(8)'s words. Pure.
import type { MountRequest } from '../model/container-config.ts';

const UNITS = [
  ['g', 2 ** 30],
  ['m', 2 ** 20],
  ['k', 2 ** 10],
] as const;

/** "size=1m", not "size=1048576": the largest unit that leaves no rest. */
function sizeWord(bytes: number): string {
  const unit = UNITS.find(([, factor]) => bytes % factor === 0);
  return `size=${unit ? `${bytes / unit[1]}${unit[0]}` : bytes}`;
}

/** "ro,mode=1777,size=64m" */
export function tmpfsOptions(options: MountRequest['TmpfsOptions'] = {}, readOnly = false): string {
  const { SizeBytes = 0, Mode = 0 } = options;
  return [
    readOnly ? 'ro' : '',
    Mode === 0 ? '' : `mode=${Mode.toString(8)}`,
    SizeBytes === 0 ? '' : sizeWord(SizeBytes),
  ]
    .filter((word) => word !== '')
    .join(',');
}
