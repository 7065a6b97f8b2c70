// What samples say: median, quantile, spread. Pure.

/** The value below which `share` of the samples lie, between two of them where it must. Throws on no samples. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError('Cannot take a quantile of no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** A bound as contract.md writes it: `<= 0.5` or `< 1`, on ours / peer. */
export interface Target {
  readonly relation: '<=' | '<';
  readonly ratio: number;
}

export function meets({ relation, ratio }: Target, measured: number): boolean {
  return relation === '<' ? measured < ratio : measured <= ratio;
}

export const targetText = ({ relation, ratio }: Target): string => `${relation} ${ratio}`;
