// Network namespaces by descriptor: opened, made, visited by this thread for one synchronous action (setns(2)). The
// daemon as a whole never leaves its own.
import { bind, checked } from '../libc.ts';

const CLONE_NEWNET = 0x4000_0000;
const O_CLOEXEC = 0o2000000;

const cClose = bind('int close(int fd)');
const cOpen = bind('int open(const char *path, int flags)');
const cSetns = bind('int setns(int fd, int type)');
const cUnshare = bind('int unshare(int flags)');

let home: number | undefined;

/** The thread's own network namespace, opened once: the way back must not depend on /proc while we are away. */
function homeNamespace(): number {
  home ??= checked('open', '/proc/thread-self/ns/net', cOpen('/proc/thread-self/ns/net', O_CLOEXEC));
  return home;
}

/**
 * Runs `action` while this thread is in another network namespace: that of the descriptor, or a fresh one. Synchronous,
 * so nothing else of the process runs meanwhile and no thread is started there; other threads are not moved (setns(2)).
 */
export function inNamespace<T>(namespace: number | 'fresh', action: () => T): T {
  const back = homeNamespace();
  if (namespace === 'fresh')
    checked('unshare', 'net', cUnshare(CLONE_NEWNET), 'a network namespace of its own needs CAP_SYS_ADMIN');
  else
    checked(
      'setns',
      `net namespace descriptor ${namespace}`,
      cSetns(namespace, CLONE_NEWNET),
      'is it a descriptor of a network namespace, and is this root?',
    );
  try {
    return action();
  } finally {
    // A daemon left in a learner's namespace would take that for the host's: better it dies (it is restarted).
    if (cSetns(back, CLONE_NEWNET) < 0) process.abort();
  }
}

/** Opens a descriptor of a network namespace: `/proc/PID/ns/net`, or a name bound by `ip netns`. The caller closes it. */
export function openNetns(path: string): number {
  return checked('open', path, cOpen(path, O_CLOEXEC), 'has the process ended?');
}

/** A network namespace nobody else knows; it lives as long as its descriptor or what was opened in it. */
export function freshNetns(): number {
  return inNamespace('fresh', () =>
    checked('open', '/proc/thread-self/ns/net', cOpen('/proc/thread-self/ns/net', O_CLOEXEC)),
  );
}

export function closeDescriptor(fd: number): void {
  checked('close', `descriptor ${fd}`, cClose(fd));
}
