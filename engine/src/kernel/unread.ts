// How much of what was written to a socket its peer has yet to read: unix(7), SIOCOUTQ.
import { bind } from './libc.ts';

const ioctl = bind('int ioctl(int fd, unsigned long request, _Out_ int *count)');
const SIOCOUTQ = 0x5411n;

/** Of a unix socket what the peer has not read, with the kernel's own overhead; of a TCP socket what was not acknowledged. 0
 * when it can't be told. */
export function unreadBytes(fd: number): number {
  const count: [number] = [0];
  return ioctl(fd, SIOCOUTQ, count) < 0 ? 0 : count[0];
}
