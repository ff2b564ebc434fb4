// How usual an example's loss is beside those of a given set, in words.

export interface Judgement {
  /** Percent of the set whose loss is smaller: 0 is the best modelled of all. */
  readonly percentile: number;
  readonly words: string;
  readonly sentence: string;
}

/** The share of values below `value`, those equal to it by half, in percent. */
export function percentileOf(value: number, values: readonly number[]): number {
  let below = 0;
  for (const other of values) below += other < value ? 1 : other === value ? 0.5 : 0;
  return (100 * below) / values.length;
}

/** Of a loss (-ELBO) among a set's losses. */
export function judge(loss: number, losses: readonly number[]): Judgement {
  const percentile = percentileOf(loss, losses);
  const shown = Math.round(percentile);
  const [words, sentence] =
    loss > Math.max(...losses)
      ? ["unlike any example", `Its loss is above all ${losses.length} examples'.`]
      : percentile >= 97.5
        ? ["very unusual", `Stranger to the model than ${shown} % of the examples.`]
        : percentile >= 90
          ? ["unusual", `Stranger to the model than ${shown} % of the examples.`]
          : percentile > 50
            ? ["ordinary", `${100 - shown} % of the examples are stranger to the model.`]
            : ["typical", `${100 - shown} % of the examples are stranger to the model.`];
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
