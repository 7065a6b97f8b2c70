// epoll(7) and eventfd(2) for threads that may block. Waits; never reads what became readable.
import { bindUnseen, checked, lastErrno } from './libc.ts';

const epollCreate1 = bindUnseen('int epoll_create1(int)');
const epollCtl = bindUnseen('int epoll_ctl(int, int, int, void *)');
const epollWait = bindUnseen('int epoll_wait(int, void *, int, int)');
const eventfd2 = bindUnseen('int eventfd(unsigned int, int)');
const eventfdWrite = bindUnseen('int eventfd_write(int, uint64_t)');
const eventfdRead = bindUnseen('int eventfd_read(int, void *)');
const closeFd = bindUnseen('int close(int)');

const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;
const CTL = { add: 1, delete: 2, modify: 3 } as const;

/** sys/epoll.h. EPOLLERR and EPOLLHUP are always told. */
export const EPOLL = { in: 0x1, pri: 0x2, err: 0x8, hup: 0x10, oneshot: 0x4000_0000 } as const;

// struct epoll_event is packed on x86_64 only (linux/eventpoll.h, EPOLL_PACKED).
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_OFFSET = EVENT_BYTES - 8;
const MAX_EVENTS = 64;

export interface Ready {
  token: number;
  events: number;
}

export class Epoll {
  /** Can be handed to another thread: epoll_ctl in one thread takes effect on a wait in another (epoll_wait(2)). */
  readonly fd: number;
  readonly #event = Buffer.alloc(EVENT_BYTES);
  readonly #events = Buffer.alloc(EVENT_BYTES * MAX_EVENTS);

  constructor(fd?: number) {
    this.fd = fd ?? checked('epoll_create1', 'epoll', epollCreate1(CLOEXEC));
  }
  #control(operation: number, fd: number, token: number, events: number): number {
    this.#event.writeUInt32LE(events >>> 0, 0);
    this.#event.writeBigUInt64LE(BigInt(token), DATA_OFFSET);
    return epollCtl(this.fd, operation, fd, this.#event);
  }
  /** `token` comes back with each event: a number that is never used twice guards against a descriptor's reuse. */
  add(fd: number, token: number, events: number): void {
    // EPERM: the file can't be polled (a regular file, a directory).
    checked('epoll_ctl', `descriptor ${fd}`, this.#control(CTL.add, fd, token, events), 'can it be polled?');
  }
  modify(fd: number, token: number, events: number): void {
    checked('epoll_ctl', `descriptor ${fd}`, this.#control(CTL.modify, fd, token, events));
  }
  /** ENOENT and EBADF (closed before it was taken out) are as good. */
  remove(fd: number): void {
    this.#control(CTL.delete, fd, 0, 0);
  }
  /** Blocks this thread for at most `timeoutMs` (-1: until something happens). EINTR gives an empty list. */
  wait(timeoutMs: number): Ready[] {
    const count = epollWait(this.fd, this.#events, MAX_EVENTS, Math.ceil(timeoutMs));
    if (count < 0) {
      if (lastErrno() === 'EINTR') return [];
      checked('epoll_wait', 'epoll', count);
    }
    return Array.from({ length: count }, (_, index) => ({
      token: Number(this.#events.readBigUInt64LE(index * EVENT_BYTES + DATA_OFFSET)),
      events: this.#events.readUInt32LE(index * EVENT_BYTES),
    }));
  }
  close(): void {
    closeFd(this.fd);
  }
}

/** A counter that wakes a poll in another thread. Non-blocking: at 2^64 - 2 a write would fail, and the reader is awake anyway. */
export function eventfd(): number {
  return checked('eventfd', 'eventfd', eventfd2(0, CLOEXEC | NONBLOCK));
}

/** Adds one: wakes whoever polls it. */
export function signalEventfd(fd: number): void {
  eventfdWrite(fd, 1);
}

const counter = Buffer.alloc(8);

/** Sets it to zero: a poll sleeps again. EAGAIN (it was zero) is as good. */
export function drainEventfd(fd: number): void {
  eventfdRead(fd, counter);
}

/** Closes a descriptor that no JavaScript stream owns. */
export function closeDescriptor(fd: number): void {
  closeFd(fd);
}
