// Describes how typical an example's loss is compared with those of a given set.

export interface Judgement {
  /** Percentage of the set with a smaller loss: 0 means the best modelled of all. */
  readonly percentile: number;
  readonly words: string;
  readonly sentence: string;
}

/** Percentage of values below `value`, counting equal values as half. */
export function percentileOf(value: number, values: readonly number[]): number {
  let below = 0;
  for (const other of values) below += other < value ? 1 : other === value ? 0.5 : 0;
  return (100 * below) / values.length;
}

/** Judges a loss (-ELBO) against a set's losses. */
export function judge(loss: number, losses: readonly number[]): Judgement {
  const percentile = percentileOf(loss, losses);
  const shown = Math.round(percentile);
  const [words, sentence] =
    loss > Math.max(...losses)
      ? ["unlike any example", `Its loss is higher than those of all ${losses.length} examples.`]
      : percentile >= 97.5
        ? ["very unusual", `Its loss is higher than those of ${shown}% of the examples.`]
        : percentile >= 90
          ? ["unusual", `Its loss is higher than those of ${shown}% of the examples.`]
          : percentile > 50
            ? ["ordinary", `${100 - shown}% of the examples have a higher loss.`]
            : ["typical", `${100 - shown}% of the examples have a higher loss.`];
  return { percentile, words, sentence };
}

/** Counts of values in equal bins from the smallest to the largest. */
export function histogram(
  values: readonly number[],
  bins: number,
): { readonly counts: readonly number[]; readonly from: number; readonly to: number } {
  const [from, to] = [Math.min(...values), Math.max(...values)];
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const at = to > from ? Math.min(bins - 1, Math.floor(((value - from) / (to - from)) * bins)) : 0;
    counts[at]!++;
  }
  return { counts, from, to };
}
