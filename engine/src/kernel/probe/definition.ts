// The shape of one probe. No probing here.
export interface ProbeDefinition {
  /** True where the lab can't run without it. */
  readonly needed: boolean;
  /** What the lab does with it. */
  readonly use: string;
  /** What a person does to get it, on the distributions the lab supports. */
  readonly howToGet: string;
  /** Tries it: undefined where it works, else what went wrong. A thrown error counts as its message. */
  readonly missing: () => string | undefined;
}

/** "Load it with `modprobe X`" — for what distributions ship as a module. */
export function moduleHint(module: string, option: string): string {
  return `Load it with "modprobe ${module}"; a kernel built without CONFIG_${option} can't have it.`;
}
