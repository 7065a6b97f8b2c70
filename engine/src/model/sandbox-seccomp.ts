// The seccomp policy of a learner's sandbox: allow by default, refuse what reaches past the user namespace or has a
// history of holes, each group with its reason. Pure data. Ordinary containers inside get their engine's own profile.
import { encodeBpf } from './bpf-assembler.ts';
import { compileSeccomp } from './seccomp-compile.ts';
import type { SeccompAction, SeccompPolicy, SeccompRule } from './seccomp-policy.ts';
import type { Architecture, SyscallName } from './syscall-table.ts';

const ENOSYS: SeccompAction = { errno: 'ENOSYS' };
const EPERM: SeccompAction = { errno: 'EPERM' };

const absent = (why: string, ...calls: SyscallName[]): SeccompRule => ({ calls, action: ENOSYS, why });
const refused = (why: string, ...calls: SyscallName[]): SeccompRule => ({ calls, action: EPERM, why });

/** ENOSYS, as on a kernel built without them: libraries know how to do without. */
const ABSENT: readonly SeccompRule[] = [
  absent(
    'io_uring runs calls in kernel threads, past this filter, and had many holes',
    'io_uring_setup',
    'io_uring_enter',
    'io_uring_register',
  ),
  absent('keyrings are not namespaced: names and quotas are shared by uid', 'add_key', 'request_key', 'keyctl'),
  absent('lets a process halt the kernel in the middle of a copy: makes races in it winnable', 'userfaultfd'),
  absent('starts another kernel', 'kexec_load', 'kexec_file_load'),
  absent('memory hidden from the host, which then can’t be checkpointed or looked into', 'memfd_secret'),
  absent('changes the memory of other processes by pidfd', 'process_madvise'),
  absent(
    'obsolete: no program needs them, and what nobody runs nobody mends',
    '_sysctl',
    'uselib',
    'ustat',
    'sysfs',
    'nfsservctl',
    'get_kernel_syms',
    'query_module',
    'create_module',
    'getpmsg',
    'putpmsg',
    'afs_syscall',
    'tuxcall',
    'security',
    'vserver',
    'epoll_ctl_old',
    'epoll_wait_old',
    'lookup_dcookie',
    'remap_file_pages',
  ),
];

/** EPERM: there, but not for a learner. */
const REFUSED: readonly SeccompRule[] = [
  refused('programs in the kernel', 'bpf'),
  refused('counters that see the whole machine', 'perf_event_open'),
  refused('kernel modules', 'init_module', 'finit_module', 'delete_module'),
  refused('the host’s swap', 'swapon', 'swapoff'),
  refused('the host’s clock', 'settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime'),
  refused('process accounting and disk quotas of the host', 'acct', 'quotactl', 'quotactl_fd'),
  refused('hands out the machine’s I/O ports', 'iopl', 'ioperm'),
  refused('opens files by number, past every mount and directory permission', 'open_by_handle_at'),
  refused('the kernel’s log', 'syslog'),
  refused(
    'placement of memory pages: works on other processes, and had holes',
    'mbind',
    'move_pages',
    'migrate_pages',
    'set_mempolicy',
    'set_mempolicy_home_node',
  ),
  refused('hangs up the terminal', 'vhangup'),
  refused('the host’s power switch', 'reboot'),
  refused('compares kernel pointers of two processes', 'kcmp'),
  refused('16-bit code segments, which had holes', 'modify_ldt'),
];

/** linux/socket.h; linux/netlink.h. */
const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const;

/** ROUTE, SOCK_DIAG, AUDIT, NETFILTER, KOBJECT_UEVENT, GENERIC: what ip, ss, nft, udev and sudo open. Not XFRM (6). */
const NETLINK_PROTOCOLS = [0, 4, 9, 12, 15, 16];

const SOCKET_CALLS: readonly SyscallName[] = ['socket', 'socketpair'];

const SOCKETS: readonly SeccompRule[] = [
  {
    calls: SOCKET_CALLS,
    action: 'allow',
    when: [{ argument: 0, in: [AF.unix, AF.inet, AF.inet6, AF.packet] }],
    why: 'ordinary sockets; raw packets of one’s own network for tcpdump and ping',
  },
  {
    calls: SOCKET_CALLS,
    action: 'allow',
    when: [
      { argument: 0, in: [AF.netlink] },
      { argument: 2, in: NETLINK_PROTOCOLS },
    ],
    why: 'netlink as ip, ss, nft and udev use it',
  },
  {
    calls: SOCKET_CALLS,
    action: { errno: 'EAFNOSUPPORT' },
    why: 'rare families (AF_ALG, AF_VSOCK, AF_RXRPC, AF_KEY, netlink XFRM …) are where page-cache holes were: CVE-2026-31431, CVE-2026-43284, CVE-2026-46300',
  },
];

/** asm-generic/ioctls.h; linux/btrfs.h: SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY, their second versions, SNAP_DESTROY_V2. */
export const REFUSED_IOCTLS = {
  TIOCSTI: 0x5412,
  TIOCLINUX: 0x541c,
  BTRFS_IOC_SNAP_CREATE: 0x5000_9401,
  BTRFS_IOC_SUBVOL_CREATE: 0x5000_940e,
  BTRFS_IOC_SNAP_DESTROY: 0x5000_940f,
  BTRFS_IOC_SNAP_CREATE_V2: 0x5000_9417,
  BTRFS_IOC_SUBVOL_CREATE_V2: 0x5000_9418,
  BTRFS_IOC_SNAP_DESTROY_V2: 0x5000_943f,
} as const;

const IOCTLS: readonly SeccompRule[] = [
  {
    calls: ['ioctl'],
    action: EPERM,
    when: [{ argument: 1, in: Object.values(REFUSED_IOCTLS) }],
    why: 'typing into another’s terminal (TIOCSTI, TIOCLINUX); btrfs subvolumes, which escape quotas',
  },
];

export function sandboxSeccompPolicy(architecture: Architecture): SeccompPolicy {
  return {
    architecture,
    defaultAction: 'allow',
    foreignAction: ENOSYS,
    rules: [...ABSENT, ...REFUSED, ...SOCKETS, ...IOCTLS],
  };
}

/** The policy as `struct sock_filter[]`, for sock_fprog. */
export function sandboxSeccompFilter(architecture: Architecture): Uint8Array {
  return encodeBpf(compileSeccomp(sandboxSeccompPolicy(architecture)));
}
