// The statements about the kernel that a lesson may make. Each is about one process P; apps/server/src/checks says when
// it holds, what was expected and observed, and in which file of /proc it was read.
import { z } from 'zod';

const namespaceType = z.enum(['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup', 'time']);
const count = z.number().int().nonnegative();

export const assertionSchema = z.discriminatedUnion('fact', [
  /** P's namespace of this type is its own, or that of the sandbox's init. */
  z.strictObject({ fact: z.literal('namespace'), type: namespaceType, is: z.enum(['own', 'shared']) }),
  /** Where P's next child will be born: the namespace P is in, another, or one that has never had a process (unreadable). */
  z.strictObject({
    fact: z.literal('children-namespace'),
    type: z.enum(['pid', 'time']).default('pid'),
    is: z.array(z.enum(['same', 'other', 'unreadable'])).min(1),
  }),
  /** How many processes live in the pid namespace P's next child would be born into. */
  z.strictObject({ fact: z.literal('children-members'), atLeast: count.optional(), exactly: count.optional() }),
  /** P's NSpid: how many numbers it has (1: the sandbox's only), and the innermost. */
  z.strictObject({
    fact: z.literal('nspid'),
    levels: count.optional(),
    levelsAtLeast: count.optional(),
    last: count.optional(),
  }),
  /** A proc mounted at `at` in a mount namespace of P's own, which shows P's own pid namespace. */
  z.strictObject({ fact: z.literal('own-proc'), at: z.string().startsWith('/').default('/proc'), is: z.boolean() }),
  /** Other living processes of P's pid namespace. */
  z.strictObject({ fact: z.literal('members'), atLeast: count.optional(), exactly: count.optional() }),
  /** P was PID 1 of a pid namespace and has ended: in any way, or by `signal`. */
  z.strictObject({ fact: z.literal('init-ended'), signal: count.optional() }),
  /** P was PID 1, others lived in its namespace when it ended, and none is left. */
  z.strictObject({ fact: z.literal('took-along'), atLeast: count.optional(), exactly: count.optional() }),
  /** P's command is one of these (base name of argv[0], or comm). */
  z.strictObject({ fact: z.literal('command'), oneOf: z.array(z.string().min(1)).min(1) }),
  /** P was started after the step began. */
  z.strictObject({ fact: z.literal('new'), is: z.boolean() }),
]);

export type Assertion = z.infer<typeof assertionSchema>;
