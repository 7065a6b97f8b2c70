import { expect, test } from 'vitest';
import { goFileMode } from './file-mode.ts';

// What Go prints of os.Lstat on Linux: fs.FileMode of /etc, /tmp, /bin/su, /dev/null, /dev/sda, a link, a fifo, a socket.
test.each([
  [0o040755, 0x8000_01ed],
  [0o041777, 0x8010_01ff],
  [0o104755, 0x0080_01ed],
  [0o102755, 0x0040_01ed],
  [0o100644, 0x0000_01a4],
  [0o020666, 0x0420_01b6],
  [0o060660, 0x0400_01b0],
  [0o120777, 0x0800_01ff],
  [0o010600, 0x0200_0180],
  [0o140755, 0x0100_01ed],
])('mode %o', (mode, expected) => expect(goFileMode(mode)).toBe(expected));
