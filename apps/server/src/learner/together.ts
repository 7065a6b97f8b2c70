// Independent work side by side, without leaving any of it behind.

/** Waits until all have settled, then throws the first failure: nothing goes on behind the caller's back. */
export async function together<const T extends readonly unknown[]>(
  works: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
