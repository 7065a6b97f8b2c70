// Probes of rights, user namespaces, seccomp and the proc connector.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { bind, checked, lastErrno } from '../libc.ts';
import type { ProbeDefinition } from './definition.ts';

const CAP_SYS_ADMIN = 21n;
const CAP_NET_ADMIN = 12n;
const SECCOMP_GET_ACTION_AVAIL = 2;
const SECCOMP_RET_ERRNO = 0x0005_0000;
const SYS_SECCOMP: Readonly<Record<string, number>> = { x64: 317, arm64: 277 };
/** An id that is nobody: what matters is that it is not root. */
const UNPRIVILEGED_ID = 65534;

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_CONNECTOR = 11;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const PROC_CN_MCAST_IGNORE = 2;
const POLLIN = 1;

const socket = bind('int socket(int domain, int type, int protocol)');
const bindSocket = bind('int bind(int fd, const uint8_t *address, unsigned int length)');
const send = bind('long send(int fd, const uint8_t *bytes, size_t length, int flags)');
const poll = bind('int poll(_Inout_ uint8_t *descriptors, unsigned long count, int timeoutMs)');
const close = bind('int close(int fd)');
const seccomp = bind('long syscall(long number, unsigned int operation, unsigned int flags, const uint8_t *argument)');

function root(): string | undefined {
  if (process.geteuid?.() !== 0) return 'this process does not run as root';
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const capabilities = BigInt(`0x${line?.[1] ?? '0'}`);
  for (const [name, bit] of [
    ['CAP_SYS_ADMIN', CAP_SYS_ADMIN],
    ['CAP_NET_ADMIN', CAP_NET_ADMIN],
  ] as const)
    if (((capabilities >> bit) & 1n) === 0n) return `this root lacks ${name}: it is root of a container`;
  return undefined;
}

/** As a sandbox begins: somebody without rights makes a user namespace and, with the rights it has inside, another one. */
function userNamespaces(): string | undefined {
  const result = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'unshare', '--user', 'true'], {
    uid: UNPRIVILEGED_ID,
    gid: UNPRIVILEGED_ID,
    encoding: 'utf8',
    cwd: '/',
  });
  if (result.error !== undefined) return result.error.message;
  if (result.status === 0) return undefined;
  const restricted = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
  if (existsSync(restricted) && readFileSync(restricted, 'utf8').trim() !== '0')
    return `AppArmor restricts them (kernel.apparmor_restrict_unprivileged_userns is not 0): ${result.stderr.trim()}`;
  return result.stderr.trim();
}

function seccompFilter(): string | undefined {
  const number = SYS_SECCOMP[process.arch];
  if (number === undefined) return `the lab knows no system call numbers of ${process.arch}`;
  const action = Buffer.alloc(4);
  action.writeUInt32LE(SECCOMP_RET_ERRNO);
  return seccomp(number, SECCOMP_GET_ACTION_AVAIL, 0, action) === 0 ? undefined : `seccomp(2) says ${lastErrno()}`;
}

/** Subscribes to process events and waits for the kernel's confirmation, which comes only in the first network namespace. */
function procConnector(): string | undefined {
  const fd = checked('socket', 'NETLINK_CONNECTOR', socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(CN_IDX_PROC, 8);
    checked('bind', 'NETLINK_CONNECTOR', bindSocket(fd, address, address.length));
    const subscribe = connectorMessage(PROC_CN_MCAST_LISTEN);
    checked('send', 'PROC_CN_MCAST_LISTEN', send(fd, subscribe, subscribe.length, 0));
    // The answer to LISTEN is an event of type 0 that every listener gets; any event at all shows that it works.
    const waiting = Buffer.alloc(8);
    waiting.writeInt32LE(fd, 0);
    waiting.writeInt16LE(POLLIN, 4);
    const ready = checked('poll', 'NETLINK_CONNECTOR', poll(waiting, 1, 1000));
    const unsubscribe = connectorMessage(PROC_CN_MCAST_IGNORE);
    send(fd, unsubscribe, unsubscribe.length, 0);
    return ready > 0 ? undefined : 'the kernel took the subscription and sent nothing';
  } finally {
    close(fd);
  }
}

/** nlmsghdr, cn_msg {idx, val, seq, ack, len, flags}, enum proc_cn_mcast_op (linux/cn_proc.h). */
function connectorMessage(operation: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(NLMSG_DONE, 4);
  bytes.writeUInt32LE(CN_IDX_PROC, 16);
  bytes.writeUInt32LE(CN_VAL_PROC, 20);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt32LE(operation, 36);
  return bytes;
}

export const PROCESS_PROBES = {
  root: {
    needed: true,
    use: 'makes namespaces, mounts, cgroups and links on the host',
    howToGet: 'Start the engine as root of the machine, not of a container.',
    missing: root,
  },
  'user-namespaces': {
    needed: true,
    use: 'make root of a sandbox nobody on the host',
    howToGet:
      'sysctl user.max_user_namespaces must not be 0; on Debian kernel.unprivileged_userns_clone must be 1; on Ubuntu 24.04 the set-up installs an AppArmor profile with "userns,".',
    missing: userNamespaces,
  },
  'seccomp-filter': {
    needed: true,
    use: 'takes risky system calls from sandboxes',
    howToGet: 'Needs a kernel with CONFIG_SECCOMP_FILTER: every distribution’s own kernel has it.',
    missing: seccompFilter,
  },
  'proc-connector': {
    needed: false,
    use: 'tells of forks and exits at once; without it the observer only sweeps',
    howToGet:
      'Needs a kernel with CONFIG_PROC_EVENTS, root, and the machine’s first network namespace (not a container).',
    missing: procConnector,
  },
} as const satisfies Record<string, ProbeDefinition>;
