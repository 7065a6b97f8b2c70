// What is wrong with a lesson file: where, in which field, and what to do about it.

export interface Problem {
  /** Path below the lessons folder. */
  file: string;
  /** From 1; null when it is about the file as a whole. */
  line: number | null;
  /** "checks[0].assert.fact"; null when it is about the file as a whole. */
  field: string | null;
  message: string;
}

/** "b-namespaces/b2-pid/1-trap/step.yaml:14: checks[0].id: must be …" */
export function formatProblem({ file, line, field, message }: Problem): string {
  return [line === null ? file : `${file}:${line}`, field, message].filter((part) => part !== null).join(': ');
}
