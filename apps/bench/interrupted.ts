// Ctrl-C in the middle of a long run: what was made is taken away all the same, then the run ends.

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs `undo` once: when the returned function is called, or when the run is told to end, whichever is first. */
export function undoing(undo: () => Promise<void>): () => Promise<void> {
  let undone: Promise<void> | null = null;
  const once = () => {
    for (const signal of SIGNALS) process.off(signal, end);
    undone ??= undo();
    return undone;
  };
  const end = () => {
    console.error('Taking away what was made …');
    once()
      .catch((error: unknown) => console.error(error))
      .finally(() => process.exit(130));
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return once;
}
