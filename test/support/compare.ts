// Whether a kernel's values are its twin's, within a tolerance.

export interface Tolerance {
  /** Largest sum of squared differences over the sum of squares: free of scale, and sees a bias in all values. */
  readonly nmse: number;
  /** |actual - expected| <= absolute + relative |expected|, for every value. */
  readonly absolute: number;
  readonly relative: number;
  /** Where the numbers come from. */
  readonly because: string;
}

export interface CompareOptions {
  /** The twin may be infinite or NaN, and where it is the kernel must be neither more finite nor less. */
  readonly nonFinite?: boolean;
  /** By what each value's error is multiplied by nature: it is divided out before all. */
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
      // NaN and infinity are one kind: which of them a loss becomes depends on the order of a sum.
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

/** The twin's values with the sign of the largest turned: what a comparison must refuse. */
export function perturbed(expected: Float64Array): Float64Array {
  const result = expected.slice();
  const size = (i: number) => (Number.isFinite(expected[i]) ? Math.abs(expected[i]!) : -1);
  const largest = expected.reduce((best, _, i) => (size(i) > size(best) ? i : best), 0);
  // Of a zero, or where nothing is finite, there is no sign to turn.
  result[largest] = size(largest) > 0 ? -expected[largest]! : 1;
  return result;
}
