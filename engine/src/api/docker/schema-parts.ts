// Fields as Docker's clients send them: absent, null and Go's empty value mean the same, so each has its default here.
// Unknown fields are ignored (Zod strips them).
import { z } from 'zod';

/** "" when absent. */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** false when absent. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** 0 when absent. An int64 of Go's; beyond 2^53 nothing here is meant exactly. */
export const number = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);

/** [] when absent. */
export const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

/** null when absent: inspect gives it back as null. */
export const textsOrNull = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);

/** A command: a list, or a string that stands for a list of one. */
export const command = z
  .union([z.string().transform((value) => [value]), z.array(z.string())])
  .nullish()
  .transform((value) => value ?? null);

/** {} when absent. */
export const textMap = z
  .record(z.string(), z.string().nullish())
  .nullish()
  .transform((value) => Object.fromEntries(Object.entries(value ?? {}).map(([key, one]) => [key, one ?? ''])));

/** A set as Go writes it: {"80/tcp": {}}. */
export const nameSet = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => Object.fromEntries(Object.keys(value ?? {}).map((key) => [key, {}])));

export const list = <T extends z.ZodType>(of: T) =>
  z
    .array(of)
    .nullish()
    .transform((value): z.output<T>[] => value ?? []);

/** Without the keys whose value is undefined: an optional field is absent, not there and empty. */
export function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Present<T>;
}

export type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
