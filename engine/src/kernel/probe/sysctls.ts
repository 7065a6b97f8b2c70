// The host's settings that a class of untrusted learners needs (security.md, setting 6). Reads only; the set-up sets them.
import { readFileSync } from 'node:fs';

export interface Sysctl {
  readonly key: string;
  /** As it reads now; null where this kernel has no such setting. */
  readonly present: string | null;
  /** What is asked for, as a person reads it: "at least 65536". */
  readonly wanted: string;
  /** True where it is so already, and where the kernel has nothing to set. */
  readonly met: boolean;
  /** What to set it to; null where only the machine's owner can decide. */
  readonly value: string | null;
  readonly why: string;
}

interface Wish {
  readonly key: string;
  readonly wanted: string;
  readonly met: (present: string) => boolean;
  readonly value: string | null;
  readonly why: string;
}

const atLeast = (key: string, least: number, why: string): Wish => ({
  key,
  wanted: `at least ${least}`,
  met: (present) => Number(present) >= least,
  value: String(least),
  why,
});

const WISHES: readonly Wish[] = [
  // A devpts that a learner mounts takes all terminals of the machine but these; those of the lab's own (64 a sandbox, see
  // sandbox/birth-plan.ts) may take these, too. So the lab's terminals need the reserve, and not a large kernel.pty.max:
  // that is only more for one learner to take, at 24 kB of kernel memory each (measured) that no group counts.
  atLeast('kernel.pty.reserve', 1024, 'terminals of the lab that no learner can take, whatever he mounts'),
  {
    key: 'kernel.pty.max',
    wanted: 'at most 16384',
    met: (present) => Number(present) <= 16_384,
    value: null,
    why: 'one learner can take all but the reserve, each 24 kB of kernel memory that no group counts',
  },
  atLeast('fs.inotify.max_user_instances', 1024, 'the observer watches cgroup files of every sandbox'),
  atLeast('fs.inotify.max_user_watches', 65_536, 'the observer watches cgroup files of every sandbox'),
  {
    // Each network namespace has a table of its own up to this size, and a learner makes 64 of them.
    key: 'net.netfilter.nf_conntrack_max',
    wanted: 'at most 65536',
    met: (present) => Number(present) <= 65_536,
    value: '65536',
    why: 'one learner can fill a table of this size in each of his networks, 256 bytes an entry that no group counts',
  },
  atLeast('kernel.dmesg_restrict', 1, 'the kernel log tells a learner about the host and the others'),
  atLeast('kernel.kptr_restrict', 2, 'kernel addresses make exploits easy'),
  // 1 can't be taken back before a reboot, so 2 is what the set-up writes.
  { ...atLeast('kernel.unprivileged_bpf_disabled', 1, 'most escapes by way of BPF need it unprivileged'), value: '2' },
  {
    key: 'dev.tty.legacy_tiocsti',
    wanted: '0',
    met: (present) => present === '0',
    value: '0',
    why: 'TIOCSTI lets a process type into a terminal it holds',
  },
  {
    key: 'kernel.core_pattern',
    wanted: 'a file name, not a pipe',
    met: (present) => !present.startsWith('|'),
    value: 'core',
    why: 'a piped core handler runs as root of the host for every crash of a learner',
  },
];

function readSysctl(key: string): string | null {
  try {
    return readFileSync(`/proc/sys/${key.replaceAll('.', '/')}`, 'utf8').trim();
  } catch {
    // Older kernels lack some of these (dev.tty.legacy_tiocsti came with 6.2).
    return null;
  }
}

/** Compares the host's settings with what a class needs. `read` is the way to them (sysctl name -> value or null). */
export function probeSysctls(read: (key: string) => string | null = readSysctl): Sysctl[] {
  return WISHES.map(({ key, wanted, met, value, why }) => {
    const present = read(key);
    return { key, present, wanted, met: present === null || met(present), value, why };
  });
}
