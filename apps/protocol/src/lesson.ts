// The lesson format: what the files under lessons/ may say. One lesson is a folder; one step a folder in it.
//   lessons/<track>/track.yaml
//   lessons/<track>/<lesson>/lesson.yaml, en.md, zh.md (opening and the sheet to keep)
//   lessons/<track>/<lesson>/<n-step>/step.yaml, en.md, zh.md, setup.sh, solution.sh, solution-*.sh, wrong-*.sh
import { z } from 'zod';
import { assertionSchema } from './assertion.ts';

export { assertionSchema, type Assertion } from './assertion.ts';
export { LANGUAGES, type Language } from './language.ts';

export const textSchema = z.strictObject({ en: z.string().trim().min(1), zh: z.string().trim().min(1) });
export type Text = z.infer<typeof textSchema>;
const id = z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, 'must be lower-case letters, digits and dashes');
const minutes = z.number().int().positive().max(120);

export const trackSchema = z.strictObject({
  id: z.string().regex(/^[A-Z]$|^capstone$/, 'must be one capital letter, or "capstone"'),
  title: textSchema,
  subtitle: textSchema,
  /** Lessons in order; those without a folder are shown as not yet available. */
  lessons: z.array(z.strictObject({ id, code: z.string().min(1), title: textSchema, minutes })).min(1),
  /** Ids of the tracks a learner should know first. */
  needs: z.array(z.string()).default([]),
});

/**
 * Which processes may be P, the subject that all assertions of a step speak of. Always a process of the learner's: one
 * that descends from a terminal of the lab, or was orphaned by one; never the engine's own (a set-up, a file being read).
 */
export const subjectSchema = z.strictObject({
  /** The shells of the lab's terminals themselves may be P, too. */
  terminals: z.boolean().default(false),
  /** Ended processes that were PID 1 of a namespace may be P, if they ended after the step began. */
  ended: z.boolean().default(false),
  /** P is searched only among living processes for which at least one of these holds; empty: among all. */
  where: z.array(assertionSchema).default([]),
  /** … and none of these. */
  not: z.array(assertionSchema).default([]),
});

export const checkSchema = z.strictObject({
  id,
  label: textSchema,
  assert: assertionSchema,
  /** While the assertion does not hold: contradicts the goal (red) if one of these holds for P; else not yet (neutral). */
  contradictedBy: z.array(assertionSchema).default([]),
});

export const hintSchema = z.strictObject({
  id,
  text: textSchema,
  /**
   * Fits while the check `unmet` is not met, `when` holds for P, and `anywhere` for some process of the learner's. The
   * first hint that fits is given before the others.
   */
  fits: z
    .strictObject({ unmet: id, when: assertionSchema.optional(), anywhere: assertionSchema.optional() })
    .optional(),
});

/** What the kernel showed, to be put beside a prediction; read from P once the check `once` is met. */
export const observeSchema = z.strictObject({
  /** number: what P calls itself. numbers: every number P has. members-end: how the others of P's namespace ended. */
  value: z.enum(['number', 'numbers', 'members-end']),
  once: id,
});

/** Stands in a command of the form `blanks` for what the learner fills in. */
export const BLANK = '____';

export const commandSchema = z.strictObject({
  id,
  run: z
    .string()
    .min(1)
    .max(400)
    .regex(/^[^\n]+$/, 'must be one line')
    .describe('identical in every language'),
  terminal: z.number().int().min(1).max(4).default(1),
  flags: z.array(z.strictObject({ flag: z.string().min(1), text: textSchema })).default([]),
  /** Help fades. full: can be run as it stands. blanks: `____`, named among the flags, is for the learner to fill in. */
  form: z.enum(['full', 'blanks']).default('full'),
});

const choice = { id, label: textSchema };

export const stepSchema = z.strictObject({
  title: textSchema,
  minutes,
  /** What is read again every 50 ms while the step is open: `mounts` only where a check speaks of them. */
  watch: z.strictObject({ namespaces: z.boolean().default(true), mounts: z.boolean().default(false) }).prefault({}),
  subject: subjectSchema.prefault({}),
  predict: z.strictObject({
    question: textSchema,
    options: z
      .array(z.strictObject({ ...choice, note: textSchema.optional() }))
      .min(2)
      .max(4),
    answer: id,
    /** "You predicted {predicted}. The kernel says {observed}." */
    outcome: textSchema,
    observe: observeSchema,
  }),
  commands: z.array(commandSchema).default([]),
  checks: z.array(checkSchema).min(1),
  /** Exactly three without `fits`, from a nudge to nearly the solution; any number with it. */
  hints: z.array(hintSchema).min(3),
  explain: z.strictObject({
    question: textSchema,
    options: z
      .array(z.strictObject({ ...choice, feedback: textSchema }))
      .min(2)
      .max(4),
    answer: id,
  }),
  /** Which check each wrong-*.sh fails, and the hint it must get: `wrong-no-fork.sh: {fails: own-pid, hint: fork}`. */
  wrong: z.record(
    z.string().regex(/^wrong-[a-z0-9-]+\.sh$/, 'must look like wrong-some-thing.sh'),
    z.strictObject({ fails: id, hint: id }),
  ),
  citations: z.array(z.strictObject({ title: z.string().min(1), url: z.url({ protocol: /^https$/ }).max(300) })).min(1),
});

export const lessonSchema = z.strictObject({
  id,
  title: textSchema,
  minutes,
  /** The docker command the learner knows already. */
  opens: z.strictObject({ command: z.string().min(1), text: textSchema }),
  steps: z.array(z.string().regex(/^[0-9]+-[a-z0-9-]+$/, 'must look like 1-some-name')).min(1),
  glossary: z.array(z.strictObject({ term: textSchema, meaning: textSchema })).default([]),
});

export type Track = z.infer<typeof trackSchema>;
export type Lesson = z.infer<typeof lessonSchema>;
export type Step = z.infer<typeof stepSchema>;
export type Check = z.infer<typeof checkSchema>;
export type Hint = z.infer<typeof hintSchema>;
export type Observe = z.infer<typeof observeSchema>;
