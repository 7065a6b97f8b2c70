// Takes samples of several sides in turn, so that what disturbs the machine disturbs all of them alike.

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  /** Does the thing once and says how long it took, in ms, or how much there is. */
  sample(): Promise<number>;
}

export interface InterleaveOptions {
  /** Samples of each side. */
  readonly samples: number;
  /** So many of one side back to back before it is the next one's turn. */
  readonly batch?: number;
  /** Before each sample: long enough for caches and clocks to go cold. 0: hot. */
  readonly pauseMs?: number;
  /** Samples of each side that are thrown away first. */
  readonly warmUp?: number;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Samples by side's name. The order of the sides turns from round to round. */
export async function interleave(
  sides: readonly Side[],
  { samples, batch = 5, pauseMs = 0, warmUp = 1 }: InterleaveOptions,
): Promise<Map<string, number[]>> {
  const taken = new Map(sides.map(({ name }) => [name, [] as number[]]));
  for (const side of sides) for (let i = 0; i < warmUp; i += 1) await side.sample();
  for (let done = 0, round = 0; done < samples; done += batch, round += 1)
    for (let turn = 0; turn < sides.length; turn += 1) {
      const side = sides[(turn + round) % sides.length];
      if (!side) continue;
      for (let i = 0; i < Math.min(batch, samples - done); i += 1) {
        if (pauseMs > 0) await pause(pauseMs);
        taken.get(side.name)?.push(await side.sample());
      }
    }
  return taken;
}

/** How long something takes, in ms. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - started) / 1e6;
}
