// Reads what the kernel counts of block I/O: v1's blkio.throttle.io_* and v2's io.stat. Pure; unknown words are passed over.

/** Reads and writes of one block device. */
export interface DeviceIo {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOperations: number;
  readonly writeOperations: number;
}

type Counter = 'readBytes' | 'writeBytes' | 'readOperations' | 'writeOperations';

/** Sums by device, in the order they are first named. */
class Devices {
  readonly #all = new Map<string, { -readonly [key in keyof DeviceIo]: DeviceIo[key] }>();

  set(device: string, counter: Counter, value: number): void {
    const numbers = /^(\d+):(\d+)$/.exec(device);
    if (!numbers || !Number.isSafeInteger(value)) return;
    const [major, minor] = [Number(numbers[1]), Number(numbers[2])];
    const known = this.#all.get(device);
    const io = known ?? { major, minor, readBytes: 0, writeBytes: 0, readOperations: 0, writeOperations: 0 };
    if (!known) this.#all.set(device, io);
    io[counter] = value;
  }

  list(): DeviceIo[] {
    return [...this.#all.values()];
  }
}

/** Of `bytes` (io_service_bytes) and `operations` (io_serviced): lines like "8:0 Read 123". */
export function parseBlkio(bytes: string, operations: string): DeviceIo[] {
  const devices = new Devices();
  for (const [text, kind] of [
    [bytes, 'Bytes'],
    [operations, 'Operations'],
  ] as const)
    for (const line of text.split('\n')) {
      const [device, word, value] = line.split(' ');
      if (device === undefined || value === undefined) continue;
      if (word === 'Read') devices.set(device, `read${kind}`, Number(value));
      if (word === 'Write') devices.set(device, `write${kind}`, Number(value));
    }
  return devices.list();
}

const IO_STAT = new Map<string, Counter>([
  ['rbytes', 'readBytes'],
  ['wbytes', 'writeBytes'],
  ['rios', 'readOperations'],
  ['wios', 'writeOperations'],
]);

/** Lines like "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0". */
export function parseIoStat(text: string): DeviceIo[] {
  const devices = new Devices();
  for (const line of text.split('\n')) {
    const [device = '', ...words] = line.split(' ');
    for (const word of words) {
      const [key = '', value] = word.split('=');
      const counter = IO_STAT.get(key);
      if (counter !== undefined) devices.set(device, counter, Number(value));
    }
  }
  return devices.list();
}
