// The X-ray record: every operation of the engine is a job, and its steps are what it did to the kernel, in order.
import { z } from 'zod';

export const jobSchema = z.object({
  /** Counted from 1 since the daemon started; only jobs somebody listened to have one. */
  id: z.number().int(),
  /** What was asked: "container start", "sandbox create", "image load". */
  operation: z.string(),
  /** Whom it is about: a container's name or id, a sandbox's id, an image's reference. */
  target: z.string(),
  startedAtMs: z.number(),
});

export const jobStepSchema = z.object({
  kind: z.enum(['call', 'netlink', 'write', 'gate']).describe('gate: processes of one launch plan wait for each other'),
  by: z.string().describe('"engine", or the block of the launch plan whose process did it'),
  name: z.string().describe('system call, netlink message type, or what was done to a file'),
  args: z.array(z.string()),
  result: z.number().nullable(),
  errno: z.string().nullable(),
  atNs: z.number().describe('nanoseconds since the job began'),
  ns: z.number(),
});

export const jobEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('began'), job: jobSchema }),
  z.object({ kind: z.literal('step'), job: z.number().int(), step: jobStepSchema }),
  z.object({
    kind: z.literal('ended'),
    job: z.number().int(),
    ns: z.number(),
    /** The sentence of its failure. */
    error: z.string().nullable(),
  }),
  z.object({ kind: z.literal('lost'), events: z.number().int().describe('the listener was too slow for so many') }),
]);

export type Job = z.infer<typeof jobSchema>;
export type JobStep = z.infer<typeof jobStepSchema>;
export type JobEvent = z.infer<typeof jobEventSchema>;
