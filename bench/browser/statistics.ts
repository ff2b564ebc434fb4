// Statistics of the measurements: medians, spreads, and the distance between two loss curves.

export interface Spread {
  readonly median: number;
  readonly fastest: number;
  readonly slowest: number;
}

/** For at least one value; the median of an even number is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("the median needs at least one value");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { median, fastest: sorted[0]!, slowest: sorted.at(-1)! };
}

/** The largest relative difference over the steps that both have; infinite if a loss is not finite. */
export function lossDifference(losses: readonly number[], reference: readonly number[]): number {
  let largest = 0;
  for (let step = 0; step < Math.min(losses.length, reference.length); step++) {
    const [a, b] = [losses[step]!, reference[step]!];
    const difference = Math.abs(a - b) / Math.abs(b);
    largest = Number.isFinite(difference) ? Math.max(largest, difference) : Infinity;
  }
  return largest;
}
