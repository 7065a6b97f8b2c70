// What the checks say of a step: three states each, with what was expected, what was read, and where.
import { z } from 'zod';

export const checkVerdictSchema = z.object({
  id: z.string(),
  state: z.enum(['not-yet', 'contradicts', 'met']),
  expected: z.string(),
  observed: z.string().nullable(),
  readFrom: z.string().nullable().describe('the file, with the pid as the learner reads it'),
  /** Key of the process to mark in Scope. */
  mark: z.string().nullable(),
});

export const verdictSchema = z.object({
  step: z.string(),
  seq: z.number().int().describe('seq of the observation it was made from'),
  subject: z.string().nullable().describe('key of P'),
  checks: z.array(checkVerdictSchema),
  hint: z.string().nullable().describe('id of the hint that fits what was observed'),
  solved: z.boolean(),
});

export type CheckVerdict = z.infer<typeof checkVerdictSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
