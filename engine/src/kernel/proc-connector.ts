// The proc connector: the kernel tells of every fork, exec and exit on the machine (NETLINK_CONNECTOR, CN_IDX_PROC). Only
// in the initial user and pid namespaces: elsewhere there is none, and processes are found by sweeps.
import { readlinkSync } from 'node:fs';
import { bindUnseen, checked, lastErrno } from './libc.ts';
import { PROC_EVENT, controlMessage, parseProcEvent, type ProcEvent } from './proc-event.ts';

const socketCall = bindUnseen('int socket(int, int, int)');
const bindCall = bindUnseen('int bind(int, void *, unsigned int)');
const setsockopt = bindUnseen('int setsockopt(int, int, int, void *, unsigned int)');
const send = bindUnseen('intptr_t send(int, void *, size_t, int)');
const recv = bindUnseen('intptr_t recvfrom(int, void *, size_t, int, void *, void *)');
const closeFd = bindUnseen('int close(int)');

const AF_NETLINK = 16;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const NETLINK_CONNECTOR = 11;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
/** Some 10 000 events (each costs the buffer 768 bytes, small as it is): a fork bomb's work of about two seconds. */
const RECEIVE_BYTES = 8 * 2 ** 20;
const LISTENED = PROC_EVENT.fork | PROC_EVENT.exec | PROC_EVENT.uid | PROC_EVENT.comm | PROC_EVENT.exit;

/** Inode numbers of the initial namespaces (linux/proc_ns.h, PROC_USER_INIT_INO and PROC_PID_INIT_INO). */
const INITIAL_USER = 'user:[4026531837]';
const INITIAL_PID = 'pid:[4026531836]';

export interface ProcConnector {
  /** Readable when there are events. */
  readonly fd: number;
  /** At most `limit` waiting events; `lost`: the buffer ran over (ENOBUFS), so sweep. */
  drain(limit: number): { events: ProcEvent[]; lost: boolean; more: boolean };
  close(): void;
}

/** Opens it, or gives null where this process can't have it (not in the initial namespaces, or no CONFIG_PROC_EVENTS). */
export function openProcConnector(receiveBytes = RECEIVE_BYTES): ProcConnector | null {
  if (readlinkSync('/proc/self/ns/user') !== INITIAL_USER || readlinkSync('/proc/self/ns/pid') !== INITIAL_PID)
    return null;
  const fd = socketCall(AF_NETLINK, SOCK_DGRAM_CLOEXEC_NONBLOCK, NETLINK_CONNECTOR);
  if (fd < 0) {
    // EPROTONOSUPPORT: a kernel without CONFIG_CONNECTOR.
    if (lastErrno() === 'EPROTONOSUPPORT') return null;
    checked('socket', 'NETLINK_CONNECTOR', fd);
  }
  try {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(receiveBytes);
    checked('setsockopt', 'SO_RCVBUFFORCE', setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4));
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    // nl_pid 0: the kernel chooses. nl_groups: bit CN_IDX_PROC - 1.
    address.writeUInt32LE(1, 8);
    // ENOENT, ECONNREFUSED: the connector exists, but not here (another network namespace than the initial one).
    if (bindCall(fd, address, address.length) < 0) {
      const errno = lastErrno();
      closeFd(fd);
      if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'EPERM') return null;
      checked('bind', 'NETLINK_CONNECTOR', -1);
    }
    for (const message of [controlMessage('listen'), controlMessage('listen', LISTENED)]) {
      const sent = send(fd, message, message.length, 0);
      if (sent < 0 && lastErrno() === 'ECONNREFUSED') {
        closeFd(fd);
        return null;
      }
      checked('send', 'proc connector', sent);
    }
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  const message = Buffer.alloc(512);
  const sender = Buffer.alloc(12);
  const senderLength = Buffer.alloc(4);
  return {
    fd,
    drain(limit) {
      const events: ProcEvent[] = [];
      let lost = false;
      for (let count = 0; count < limit; count++) {
        senderLength.writeUInt32LE(sender.length);
        const length = recv(fd, message, message.length, 0, sender, senderLength);
        if (length < 0) {
          const errno = lastErrno();
          if (errno === 'ENOBUFS') lost = true;
          else if (errno === 'EAGAIN') return { events, lost, more: false };
          else if (errno !== 'EINTR') checked('recvfrom', 'proc connector', length);
          continue;
        }
        // Only the kernel has netlink port 0: any root process may send to the group.
        if (sender.readUInt32LE(4) !== 0) continue;
        const event = parseProcEvent(message.subarray(0, length));
        if (event) events.push(event);
      }
      return { events, lost, more: true };
    },
    close() {
      // Before Linux 6.6 the kernel counted listeners and did not notice that one had closed its socket.
      const last = controlMessage('ignore');
      send(fd, last, last.length, 0);
      closeFd(fd);
    },
  };
}
