// The eight namespace types of Linux, as named by /proc/PID/ns and namespaces(7). Pure.
export const NAMESPACE_TYPES = ['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup', 'time'] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

/** CLONE_NEW* bits: linux/sched.h, clone(2). CLONE_NEWTIME (0x80) shares bits with CSIGNAL: clone3 and unshare only. */
export const CLONE_NEW: Readonly<Record<NamespaceType, number>> = {
  time: 0x0000_0080,
  mnt: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  net: 0x4000_0000,
};
