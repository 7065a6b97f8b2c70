// Docker's default seccomp profile (moby/profiles, seccomp/default_linux.go) as data: what every container may call, and what
// comes with a capability. All else fails with EPERM. Pure.
import { type Capability, parseCapability } from './capabilities.ts';
import type { OciSeccomp } from './oci-spec.ts';
import type { Architecture } from './syscall-table.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** 32-bit programs' calls are among them: socketcall, _llseek, clock_gettime64 … */
const EVERYBODY = words(`
  _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown
  chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock
  fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
  futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu
  getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
  getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr
  listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier
  memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
  mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
  newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect
  poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64
  pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64
  recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir
  rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
  semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area
  set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid
  setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid
  setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
  sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat
  sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime
  utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
`);

/** ptrace(2) and its kin can't lead out of a container since Linux 4.8, older than which nothing here runs. */
const TRACING = words('process_vm_readv process_vm_writev ptrace');

/** Calls that a capability opens. */
const WITH_CAPABILITY: readonly (readonly [Capability, readonly string[]])[] = [
  ['DAC_READ_SEARCH', ['open_by_handle_at']],
  [
    'SYS_ADMIN',
    words(`
      bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
      lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
      sethostname setns syslog umount umount2 unshare
    `),
  ],
  ['SYS_BOOT', ['reboot']],
  ['SYS_CHROOT', ['chroot']],
  ['SYS_MODULE', words('delete_module init_module finit_module')],
  ['SYS_PACCT', ['acct']],
  ['SYS_PTRACE', words('kcmp pidfd_getfd process_madvise')],
  ['SYS_RAWIO', words('iopl ioperm')],
  ['SYS_TIME', words('settimeofday stime clock_settime clock_settime64')],
  ['SYS_TTY_CONFIG', ['vhangup']],
  ['SYS_NICE', words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node')],
  ['SYSLOG', ['syslog']],
  ['BPF', ['bpf']],
  ['PERFMON', ['perf_event_open']],
];

const OF_ARCHITECTURE: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: words('arch_prctl modify_ldt'),
  aarch64: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
};

const ARCHITECTURES: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  aarch64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** linux/socket.h: the kernel's crypto, and sockets to the hypervisor, which no namespace keeps apart. */
const AF_ALG = 38;
const AF_VSOCK = 40;
/** personality(2): Linux, 32-bit uname, no address randomisation, both; and the question what it is. */
const PERSONALITIES = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
/** CLONE_NEWNS, UTS, IPC, USER, PID, NET, CGROUP. */
const NEW_NAMESPACES = 0x7e02_0000;
const [EPERM, ENOSYS] = [1, 38];

type Rule = NonNullable<OciSeccomp['syscalls']>[number];
const allow = (names: readonly string[], ...args: NonNullable<Rule['args']>): Rule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  ...(args.length === 0 ? {} : { args }),
});

/** The profile for a container with these capabilities ("CAP_CHOWN" …). */
export function dockerSeccomp(architecture: Architecture, capabilities: readonly string[]): OciSeccomp {
  const has = new Set(capabilities.map(parseCapability));
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[architecture],
    syscalls: [
      allow([...EVERYBODY, ...TRACING, ...OF_ARCHITECTURE[architecture]]),
      allow(['socket'], { index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }),
      allow(['socket'], { index: 0, value: AF_ALG + 1, op: 'SCMP_CMP_EQ' }),
      allow(['socket'], { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_GT' }),
      ...PERSONALITIES.map((value) => allow(['personality'], { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...WITH_CAPABILITY.filter(([capability]) => has.has(capability)).map(([, names]) => allow(names)),
      ...(has.has('SYS_ADMIN')
        ? []
        : [
            allow(['clone'], { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
            // Its flags lie in memory, where no filter can look: programs fall back on clone when it seems not to be there.
            { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
          ]),
    ],
  };
}
