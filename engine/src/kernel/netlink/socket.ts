// Netlink sockets: opened in the daemon's own network namespace, another one, or a fresh one; request and answer. What is
// asked and what an answer means is the business of link, address, route and nftables. Never blocks: see `receive`.
import { EngineError, SysError } from '../../model/engine-error.ts';
import { bind, bindInThread, bindUnseen, checked, errnoName, lastErrno } from '../libc.ts';
import {
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessage,
  type Message,
} from './message.ts';
import { closeDescriptor, inNamespace } from './netns.ts';
import { messageAttributes, messageFlags, messageName } from './print-message.ts';
import { tracer } from '../trace.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_CONNECTOR = 11;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

const cSocket = bind('int socket(int domain, int type, int protocol)');
const cConnect = bind('int connect(int fd, const uint8_t *address, unsigned int length)');
const cSetsockopt = bind('int setsockopt(int fd, int level, int option, const uint8_t *value, unsigned int length)');
const cSend = bindUnseen('long send(int fd, const uint8_t *bytes, size_t length, int flags)');
const cSendInThread = bindInThread('long send(int fd, const uint8_t *bytes, size_t length, int flags)');
const cRecv = bindUnseen('long recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)');

/** What a request was about, for the sentence of its failure: `{action: 'add link', target: 'dk0'}`. */
export interface Purpose {
  readonly action: string;
  readonly target: string;
  /** Sentences by errno name; the kernel's own text is added to them. */
  readonly hints?: Readonly<Record<string, string>>;
}

export interface Request {
  readonly type: number;
  readonly flags?: number;
  readonly payload: Uint8Array;
}

const acknowledged = (request: Request): Request => ({ ...request, flags: (request.flags ?? 0) | NLM_F_ACK });

const DUMP_TRIES = 8;
// The kernel builds dumps in pieces of at most 32 KiB (netlink_dump); an answer to one request is smaller.
const BUFFER_BYTES = 128 * 1024;
/** One for all sockets: receiving is synchronous, and what was received is copied out. */
const buffer = Buffer.alloc(BUFFER_BYTES);
const RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;

export class NetlinkSocket {
  readonly #fd: number;
  readonly #protocol: number;
  #sequence = 1;
  #closed = false;

  /** Without a namespace: that of the daemon. */
  constructor(protocol: number, namespace?: number | 'fresh') {
    this.#protocol = protocol;
    const open = (): number =>
      checked('socket', `netlink ${protocol}`, cSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    this.#fd = namespace === undefined ? open() : inNamespace(namespace, open);
    try {
      // Connected to port 0, the kernel. Without it root of the sandbox, who has CAP_NET_ADMIN over its own network
      // namespace, could send forged answers to this socket's port.
      const kernel = Buffer.alloc(12);
      kernel.writeUInt16LE(AF_NETLINK, 0);
      checked('connect', `netlink ${protocol}`, cConnect(this.#fd, kernel, kernel.length));
      this.#option(SOL_NETLINK, NETLINK_EXT_ACK, 1);
      this.#option(SOL_NETLINK, NETLINK_CAP_ACK, 1);
      if (protocol === NETLINK_ROUTE) this.#option(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
      // A transaction's errors and a dump's first piece wait in the queue until we read: room for all of them.
      this.#option(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_QUEUE_BYTES);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #option(level: number, option: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    checked('setsockopt', `netlink option ${option}`, cSetsockopt(this.#fd, level, option, bytes, 4));
  }

  /** Sends one request and returns what the kernel answers besides its acknowledgement. */
  request(request: Request, purpose: Purpose): Message[] {
    return this.#noted([request], () => this.#answersTo(this.#send([acknowledged(request)], purpose), purpose));
  }

  /**
   * The same for what makes the kernel sleep (deleting a link takes 15 ms): it sleeps in a thread of the pool. Nothing
   * else may be asked on this socket until the promise is settled.
   */
  async requestInThread(request: Request, purpose: Purpose): Promise<Message[]> {
    const { datagram, first } = this.#encode([acknowledged(request)]);
    const beganNs = process.hrtime.bigint();
    await cSendInThread(`${purpose.action} ${purpose.target}`, this.#fd, datagram, datagram.length, 0);
    return this.#noted([request], () => this.#answersTo(first, purpose), beganNs);
  }

  /** Notes the messages as steps of the operation that is running here. The time and the errno are those of all of them. */
  #noted<T>(requests: readonly Request[], ask: () => T, beganNs = process.hrtime.bigint()): T {
    const sink = tracer();
    if (sink === undefined) return ask();
    const note = (errno: string | null) => {
      const ns = Number(process.hrtime.bigint() - beganNs);
      for (const { type, flags = 0, payload } of requests) {
        const name = messageName(this.#protocol === NETLINK_ROUTE ? 'route' : 'netfilter', type);
        const args = [...messageFlags(flags), ...messageAttributes(name, payload)];
        sink({ kind: 'netlink', by: 'engine', name, args, result: errno === null ? 0 : -1, errno, beganNs, ns });
      }
    };
    try {
      const answer = ask();
      note(null);
      return answer;
    } catch (error) {
      note(error instanceof SysError ? error.errno : 'EIO');
      throw error;
    }
  }

  #answersTo(sequence: number, purpose: Purpose): Message[] {
    const answers: Message[] = [];
    for (;;) {
      for (const message of this.#receive(purpose)) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_ERROR) {
          this.#refuse(message, purpose);
          return answers;
        }
        if (message.type !== NLMSG_NOOP) answers.push(message);
      }
    }
  }

  /** Lists. A list that changed while it was read (NLM_F_DUMP_INTR) or overran the queue (ENOBUFS) is read again. */
  dump(request: Request, purpose: Purpose): Message[] {
    for (let attempt = 1; attempt <= DUMP_TRIES; attempt++) {
      const messages = this.#dumpOnce(request, purpose);
      if (messages !== undefined) return messages;
    }
    throw new EngineError(
      'unavailable',
      `Cannot ${purpose.action} "${purpose.target}": it changed during each of ${DUMP_TRIES} readings; try again`,
    );
  }

  #dumpOnce(request: Request, purpose: Purpose): Message[] | undefined {
    const sequence = this.#send([{ ...request, flags: (request.flags ?? 0) | NLM_F_DUMP }], purpose);
    const answers: Message[] = [];
    let interrupted = false;
    for (;;) {
      let received: Message[];
      try {
        received = this.#receive(purpose);
      } catch (error) {
        if (error instanceof SysError && error.errno === 'ENOBUFS') interrupted = true;
        else throw error;
        continue;
      }
      for (const message of received) {
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          this.#refuse(message, purpose);
          return interrupted ? undefined : answers;
        }
        if (message.type !== NLMSG_NOOP) answers.push(message);
      }
    }
  }

  /**
   * Sends several messages in one datagram: a transaction of nfnetlink. The one at `last` is the last that the kernel
   * answers; errors come for any of them, and the first is thrown, once all were read.
   */
  transaction(requests: readonly Request[], last: number, purpose: Purpose): void {
    this.#noted(requests, () => this.#transact(requests, last, purpose));
  }

  #transact(requests: readonly Request[], last: number, purpose: Purpose): void {
    const first = this.#send(
      requests.map((request, index) => (index === last ? acknowledged(request) : request)),
      purpose,
    );
    let failure: Message | undefined;
    // All answers are queued before send(2) returns; the queue is read until it is empty.
    for (let received = this.#receive(purpose); received.length > 0; received = this.#receiveQueued(purpose))
      for (const message of received)
        if (message.type === NLMSG_ERROR && message.sequence >= first && decodeAcknowledgement(message).errno !== 0)
          failure ??= message;
    if (failure !== undefined) this.#refuse(failure, purpose);
  }

  /** Joins a multicast group; what is told there waits for `drain`. Nothing is asked on such a socket. */
  subscribe(group: number): void {
    this.#option(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
  }

  /** All that was told since the last time, without waiting; undefined where the queue ran over (ENOBUFS): something was. */
  drain(purpose: Purpose): Message[] | undefined {
    const messages: Message[] = [];
    let lost = false;
    for (;;) {
      try {
        const received = this.#receiveQueued(purpose);
        if (received.length === 0) return lost ? undefined : messages;
        messages.push(...received);
      } catch (error) {
        if (!(error instanceof SysError) || error.errno !== 'ENOBUFS') throw error;
        lost = true;
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the sequence number of the first message. */
  #send(requests: readonly Request[], purpose: Purpose): number {
    const { datagram, first } = this.#encode(requests);
    while (cSend(this.#fd, datagram, datagram.length, 0) < 0) {
      const errno = lastErrno();
      if (errno !== 'EINTR') throw new SysError(purpose.action, errno, purpose.target, 'the kernel took no request');
    }
    return first;
  }

  #encode(requests: readonly Request[]): { datagram: Buffer; first: number } {
    const first = this.#sequence;
    const datagram = Buffer.concat(
      requests.map(({ type, flags, payload }) =>
        encodeMessage({ type, flags: (flags ?? 0) | NLM_F_REQUEST, sequence: this.#sequence++, port: 0, payload }),
      ),
    );
    if (this.#sequence > 0x7fff_ffff) this.#sequence = 1;
    return { datagram, first };
  }

  #receive(purpose: Purpose): Message[] {
    const messages = this.#receiveQueued(purpose);
    if (messages.length === 0)
      throw new EngineError('internal', `Cannot ${purpose.action} "${purpose.target}": the kernel gave no answer`);
    return messages;
  }

  /** rtnetlink and nfnetlink answer inside send(2), a dump goes on inside recv(2): MSG_DONTWAIT finds it all. */
  #receiveQueued(purpose: Purpose): Message[] {
    for (;;) {
      const length = cRecv(this.#fd, buffer, buffer.length, MSG_DONTWAIT | MSG_TRUNC);
      if (length > buffer.length)
        throw new EngineError(
          'internal',
          `Cannot ${purpose.action} "${purpose.target}": the kernel's answer of ${length} bytes is too long`,
        );
      // A copy: messages are windows on these bytes, and the buffer is used again.
      if (length >= 0) return decodeMessages(Buffer.from(buffer.subarray(0, length)));
      const errno = lastErrno();
      if (errno === 'EAGAIN') return [];
      if (errno !== 'EINTR') throw new SysError(purpose.action, errno, purpose.target, 'its answer was lost');
    }
  }

  /** Throws where the acknowledgement carries an errno. */
  #refuse(message: Message, purpose: Purpose): void {
    const { errno, text } = decodeAcknowledgement(message);
    if (errno === 0) return;
    const name = errnoName(errno);
    const own = purpose.hints?.[name];
    const kernel = text === undefined ? undefined : `the kernel says: ${text}`;
    const hint = [own, kernel].filter((part) => part !== undefined).join('; ');
    throw new SysError(purpose.action, name, purpose.target, hint === '' ? undefined : hint);
  }
}
