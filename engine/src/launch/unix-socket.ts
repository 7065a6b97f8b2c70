// Receiving a descriptor from another program, as steps: unix(7), SCM_RIGHTS. Pure.
import { call, slot, type Step, type Value, word } from '../model/launch-plan.ts';
import { O_CLOEXEC } from './steps.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const MSGHDR_BYTES = 56;
/** Room for one descriptor: length, level and type in 16 bytes, then the number, padded to 8. */
const CONTROL_BYTES = 24;

/** Listens at a path, relative to the working directory: a socket's path has no more than 107 bytes. */
export function listenAt(name: string): Step[] {
  const address = new Uint8Array(2 + name.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(new TextEncoder().encode(name), 2);
  return [
    call('socket', [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0], { save: 'listening' }),
    call('bind', [slot('listening'), { bytes: address }, address.length]),
    call('listen', [slot('listening'), 1]),
  ];
}

/** Takes the descriptor that whoever connected has sent. It is the word at 16 of the room "rights". */
export function receiveDescriptor(): Step[] {
  const message = new Uint8Array(MSGHDR_BYTES);
  const view = new DataView(message.buffer);
  view.setBigUint64(24, 1n, true); // one piece of data
  view.setBigUint64(40, BigInt(CONTROL_BYTES), true);
  const data = new Uint8Array(16);
  new DataView(data.buffer).setBigUint64(8, 4096n, true);
  const struct: Value = {
    struct: message,
    patches: [
      { at: 16, value: { struct: data, patches: [{ at: 0, value: { room: 4096 } }] } },
      { at: 32, value: { room: CONTROL_BYTES, name: 'rights' } },
    ],
  };
  return [
    call('accept4', [slot('listening'), null, null, O_CLOEXEC], { save: 'connection' }),
    call('recvmsg', [slot('connection'), struct, MSG_CMSG_CLOEXEC]),
  ];
}

export const RECEIVED = word('rights', 16);
