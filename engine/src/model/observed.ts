// What the host side reads of a sandbox: the one state that feeds pictures, checks and recordings. Pure; no I/O.
// Every number is as the learner's own host (the sandbox) reads it, unless its name says `host`.
import { z } from 'zod';

const inode = z.number().int().nonnegative();

/** Inode numbers of /proc/PID/ns/*; null where the link could not be read (a process on its way out). */
export const namespacesSchema = z.object({
  pid: inode.nullable(),
  mnt: inode.nullable(),
  net: inode.nullable(),
  uts: inode.nullable(),
  ipc: inode.nullable(),
  user: inode.nullable(),
  cgroup: inode.nullable(),
  time: inode.nullable(),
});

/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)), reduced to what checks and views use. */
export const mountSchema = z.object({
  id: z.number().int(),
  parent: z.number().int(),
  device: z.string().describe('major:minor of the mounted super block'),
  root: z.string(),
  mountPoint: z.string(),
  type: z.string(),
  source: z.string(),
  options: z.string(),
  superOptions: z.string(),
  propagation: z.string().describe('optional fields: "shared:7", "master:3", or "" when private'),
  pidNamespace: inode
    .nullable()
    .describe(
      'of a visible proc mount: inode of the pid namespace it shows (ns/pid of its entry 1, PROC_SUPER_MAGIC checked); else null',
    ),
});

export const processSchema = z.object({
  key: z.string().describe('hostPid:startTicks — never reused while the machine is up'),
  hostPid: z.number().int().positive().describe('pid in the initial pid namespace; the lab never shows it'),
  pids: z
    .array(z.number().int().positive())
    .min(1)
    .describe('NSpid from the level of the sandbox inwards: pids[0] is what the learner’s host calls it'),
  parentKey: z.string().nullable().describe('null: the parent is outside the sandbox (PPid 0 inside)'),
  comm: z.string(),
  argv: z.array(z.string()),
  state: z.enum(['R', 'S', 'D', 'T', 't', 'Z', 'X', 'I', 'P']),
  startedAtMs: z.number().describe('milliseconds since the epoch'),
  uidInside: z.number().int().nullable().describe('effective uid as its own user namespace maps it; null if unmapped'),
  uidOutside: z.number().int().nullable().describe('effective uid as the sandbox maps it'),
  namespaces: namespacesSchema,
  pidForChildren: inode.nullable().describe('ns/pid_for_children; null is also what it reads before the first fork'),
  timeForChildren: inode.nullable(),
  cgroup: z.string().describe('path below the sandbox’s own cgroup root'),
  terminal: z.string().nullable().describe('id of the lab terminal this process is the shell of'),
  controllingTty: z.string().nullable().describe('"pts/0" of the sandbox, from tty_nr'),
  rootInode: z.string().nullable().describe('device:inode of /proc/PID/root'),
  mounts: z.array(mountSchema).nullable().describe('only for processes whose mount namespace is watched'),
});

/** How a process ended: wait(2) status, from the proc connector's exit event. */
export const exitSchema = z.object({
  key: z.string(),
  pids: z.array(z.number().int()).describe('empty when it ended before it could be read'),
  parentKey: z.string().nullable(),
  comm: z.string(),
  code: z.number().int().nullable().describe('exit status; null when killed or when nobody saw the end'),
  signal: z.number().int().nullable(),
  atMs: z.number(),
  initOf: inode.nullable().describe('inode of the pid namespace this process was init (pid 1) of, if any'),
  pidNamespace: inode.nullable().describe('the pid namespace it lived in, as last read'),
  membersAlive: z
    .number()
    .int()
    .describe(
      'with initOf: others of that namespace, nested ones included, alive when it began to end. The kernel kills and reaps them in exit_notify(), before it reports the exit of the init: their exit events (signal 9) come first, and they count',
    ),
});

/** What happened, for timelines and recordings. */
export const kernelEventSchema = z.object({
  kind: z.enum(['fork', 'exec', 'exit']),
  key: z.string(),
  atMs: z.number(),
});

export const snapshotSchema = z.object({
  kind: z.literal('snapshot'),
  seq: z.number().int(),
  atMs: z.number(),
  sandbox: z.string(),
  namespaces: namespacesSchema.describe(
    'those of the sandbox’s own init: what "shared with the host" is compared with',
  ),
  kernel: z.object({ release: z.string(), cgroup: z.enum(['v1', 'hybrid', 'v2']) }),
  hostname: z.string(),
  processes: z.array(processSchema),
  exits: z.array(exitSchema).describe('the latest, oldest first; bounded'),
});

export const patchSchema = z.object({
  kind: z.literal('patch'),
  seq: z.number().int().describe('previous seq + 1; a client that sees a gap asks for a snapshot'),
  atMs: z.number(),
  upsert: z.array(processSchema),
  exits: z.array(exitSchema).describe('how they ended; out of the tree unless this patch upserts them as zombies (Z)'),
  gone: z.array(z.string()).describe('keys: zombies reaped by their parent, and processes whose end nobody saw'),
  events: z.array(kernelEventSchema),
  coalesced: z
    .number()
    .int()
    .optional()
    .describe('so many events and exits were left out: more came than are told one by one (a fork bomb)'),
  hostname: z.string().optional(),
});

export const observationSchema = z.discriminatedUnion('kind', [snapshotSchema, patchSchema]);

/** What the open step or view wants re-read every 50 ms: the things that have no kernel event. */
export const watchSchema = z.object({
  namespaces: z.boolean().default(true).describe('ns links of every process'),
  mounts: z.boolean().default(false).describe('mountinfo of processes outside the sandbox’s own mount namespace'),
});

export type Namespaces = z.infer<typeof namespacesSchema>;
export type Mount = z.infer<typeof mountSchema>;
export type ObservedProcess = z.infer<typeof processSchema>;
export type ObservedExit = z.infer<typeof exitSchema>;
export type KernelEvent = z.infer<typeof kernelEventSchema>;
export type Snapshot = z.infer<typeof snapshotSchema>;
export type Patch = z.infer<typeof patchSchema>;
export type Observation = z.infer<typeof observationSchema>;
export type Watch = z.infer<typeof watchSchema>;

export { MAX_EXITS, applyPatch } from './apply-patch.ts';
