// The lesson format: what the files under lessons/ may say. One lesson is a folder; one step a folder in it.
//   lessons/<track>/track.yaml
//   lessons/<track>/<lesson>/lesson.yaml, en.md, zh.md (opening and the sheet to keep)
//   lessons/<track>/<lesson>/<n-step>/step.yaml, en.md, zh.md, setup.sh, solution.sh, wrong-*.sh
import { z } from 'zod';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];
const text = z.strictObject({ en: z.string().min(1), zh: z.string().min(1) });
export type Text = z.infer<typeof text>;
const id = z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, 'lower-case letters, digits and dashes');

export const trackSchema = z.strictObject({
  id: z.string().regex(/^[A-Z]$|^capstone$/),
  title: text,
  subtitle: text,
  /** Lessons in order; those without a folder are shown as not yet available. */
  lessons: z.array(z.strictObject({ id, code: z.string(), title: text, minutes: z.number().int().positive() })).min(1),
  needs: z.array(z.string()).default([]),
});

const namespaceType = z.enum(['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup', 'time']);
const relation = z.enum(['own', 'shared']).describe('against the sandbox’s own init');

/**
 * One statement about the kernel. All of a step's assertions must hold for the same subject process P, which is
 * searched among the learner's processes; the candidate that meets most is shown. P is never made by the engine
 * unless `subject.terminal` says so.
 */
export const assertionSchema = z.discriminatedUnion('fact', [
  /** The type of P's namespace is its own or the sandbox's. */
  z.strictObject({ fact: z.literal('namespace'), type: namespaceType, is: relation }),
  /** ns/pid_for_children (or time_for_children) of P against ns/pid of P. */
  z.strictObject({
    fact: z.literal('children-namespace'),
    type: z.enum(['pid', 'time']),
    is: z.enum(['same', 'other', 'unreadable']),
  }),
  /** How many numbers P has: levels of pid namespaces from the sandbox (1) inwards. */
  z.strictObject({ fact: z.literal('pid-levels'), is: z.number().int().min(1) }),
  /** The innermost number of P. */
  z.strictObject({ fact: z.literal('inner-pid'), is: z.number().int().min(1) }),
  /** A proc file system mounted at `at` in P's mount namespace that belongs to P's own pid namespace. */
  z.strictObject({ fact: z.literal('own-proc'), at: z.string().default('/proc'), is: z.boolean() }),
  /** Living members of P's pid namespace other than P. */
  z.strictObject({
    fact: z.literal('members'),
    atLeast: z.number().int().optional(),
    exactly: z.number().int().optional(),
  }),
  /** P was init of its pid namespace and has ended since the step began. */
  z.strictObject({
    fact: z.literal('init-ended'),
    signal: z.number().int().optional(),
    membersAliveAtLeast: z.number().int().optional(),
  }),
  /** Since P (an init) ended, its pid namespace has no member left. */
  z.strictObject({ fact: z.literal('namespace-empty') }),
  /** P's command is one of these (base names of argv[0] or comm). */
  z.strictObject({ fact: z.literal('command'), oneOf: z.array(z.string()).min(1) }),
  /** P was started after the step began. */
  z.strictObject({ fact: z.literal('new') }),
]);

export const checkSchema = z.strictObject({
  id,
  label: text,
  assert: assertionSchema,
  /** When the assertion does not hold: `contradicts` (✗, red) if this other one holds for P, else not yet (○). */
  contradictedBy: assertionSchema.optional(),
  /** Said when it is met, wrong or waiting; `{expected}`, `{observed}`, `{pid}` are replaced. */
  hint: id.optional().describe('the hint that a contradiction of this check opens'),
});

export const hintSchema = z.strictObject({
  id,
  text,
  /** Chosen first when this holds for P (or, with `anywhere`, for any process of the learner's). */
  when: assertionSchema.optional(),
});

export const stepSchema = z.strictObject({
  title: text,
  minutes: z.number().int().positive(),
  cgroup: z.enum(['v1', 'v2', 'both']).default('both'),
  mayChange: z.array(z.string()).default([]),
  watch: z.strictObject({ namespaces: z.boolean().default(true), mounts: z.boolean().default(false) }).prefault({}),
  predict: z.strictObject({
    question: text,
    options: z
      .array(z.strictObject({ id, label: text, note: text.optional() }))
      .min(2)
      .max(4),
    answer: id,
    /** "You predicted {predicted}. The kernel says {observed}." — `{observed}` is read from the check named here. */
    outcome: text,
    observedFrom: id,
  }),
  commands: z
    .array(
      z.strictObject({
        id,
        run: z.string().describe('identical in every language'),
        terminal: z.number().int().min(1).max(4).default(1),
        flags: z.array(z.strictObject({ flag: z.string(), text })).default([]),
        /** Help fades: full command, labelled blanks, or nothing. */
        form: z.enum(['full', 'blanks']).default('full'),
      }),
    )
    .default([]),
  checks: z.array(checkSchema).min(1),
  hints: z.array(hintSchema).min(3),
  explain: z.strictObject({
    question: text,
    options: z
      .array(z.strictObject({ id, label: text, feedback: text }))
      .min(2)
      .max(4),
    answer: id,
  }),
  /** Which check each wrong-*.sh fails, and the hint it must get: `wrong-no-fork.sh: {fails: own-pid, hint: fork}`. */
  wrong: z.record(z.string().regex(/^wrong-[a-z0-9-]+\.sh$/), z.strictObject({ fails: id, hint: id })),
  citations: z.array(z.strictObject({ title: z.string(), url: z.url() })).min(1),
});

export const lessonSchema = z.strictObject({
  id,
  title: text,
  minutes: z.number().int().positive(),
  /** The docker command the learner knows already. */
  opens: z.strictObject({ command: z.string(), text }),
  steps: z.array(z.string().regex(/^[0-9]+-[a-z0-9-]+$/)).min(1),
  glossary: z.array(z.strictObject({ term: text, meaning: text })).default([]),
});

export type Track = z.infer<typeof trackSchema>;
export type Lesson = z.infer<typeof lessonSchema>;
export type Step = z.infer<typeof stepSchema>;
export type Check = z.infer<typeof checkSchema>;
export type Assertion = z.infer<typeof assertionSchema>;
export type Hint = z.infer<typeof hintSchema>;
