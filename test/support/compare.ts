// Whether a kernel's values match its twin's within a tolerance.

export interface Tolerance {
  /** Limit for the sum of squared differences over the sum of squares: scale-free, and detects a bias in all values. */
  readonly nmse: number;
  /** |actual - expected| <= absolute + relative |expected|, for every value. */
  readonly absolute: number;
  readonly relative: number;
  /** The reason for the numbers. */
  readonly because: string;
}

export interface CompareOptions {
  /** The twin may be infinite or NaN, and the kernel must be non-finite in exactly the same places. */
  readonly nonFinite?: boolean;
  /** The factor by which each value's error is inherently multiplied, which is divided out first. */
  readonly scale?: Float64Array;
}

/** What is wrong with `actual`, or undefined. */
export function compare(
  actual: Float64Array,
  expected: Float64Array,
  tolerance: Tolerance,
  { nonFinite = false, scale }: CompareOptions = {},
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values, not ${expected.length}`;
  let squares = 0;
  let errors = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const b = expected[i]!;
    if (!Number.isFinite(b)) {
      if (!nonFinite) return `the twin's value ${i} is ${b}, and the case doesn't say so`;
      // NaN and infinity are treated alike, since a sum's order decides which one a loss becomes.
      if (Number.isFinite(a)) return `value ${i} is ${a}, not ${b}`;
      continue;
    }
    const unit = scale?.[i] ?? 1;
    const error = Math.abs(a - b) / unit;
    if (!(error <= tolerance.absolute + (tolerance.relative * Math.abs(b)) / unit)) {
      return `value ${i} is ${a}, not ${b}: off by ${Math.abs(a - b).toExponential(2)}`;
    }
    squares += (b / unit) ** 2;
    errors += error * error;
  }
  if (squares > 0 && errors / squares > tolerance.nmse) {
    return `NMSE ${(errors / squares).toExponential(2)}, over ${tolerance.nmse}`;
  }
  return undefined;
}

/** The twin's values with the largest one's sign flipped, which a comparison must reject. */
export function perturbed(expected: Float64Array): Float64Array {
  const result = expected.slice();
  const size = (i: number) => (Number.isFinite(expected[i]) ? Math.abs(expected[i]!) : -1);
  const largest = expected.reduce((best, _, i) => (size(i) > size(best) ? i : best), 0);
  // Zero has no sign to flip, and neither does non-finite data.
  result[largest] = size(largest) > 0 ? -expected[largest]! : 1;
  return result;
}
