// The two directions in which points vary most (principal components), by orthogonal iteration on their covariance.

export interface Principal {
  /** Orthogonal unit vectors, the one with the larger variance first. */
  readonly axes: readonly [Float64Array, Float64Array];
  readonly variances: readonly [number, number];
  /** The total variance of all dimensions. */
  readonly total: number;
}

const ITERATIONS = 200;

/** For rows [n, width], width at least 2. A direction without variance is replaced by a coordinate axis. */
export function principalAxes(rows: Float32Array, width: number): Principal {
  const covariance = covarianceOf(rows, width);
  let total = 0;
  for (let i = 0; i < width; i++) total += covariance[i * width + i]!;
  // Not along a coordinate axis, which a diagonal covariance would never leave.
  let first = orthonormal(Float64Array.from({ length: width }, (_, i) => 1 + i / width));
  let second = orthonormal(
    Float64Array.from({ length: width }, (_, i) => (i % 2 === 0 ? 1 : -1) + i / width),
    first,
  );
  for (let i = 0; i < ITERATIONS; i++) {
    first = orthonormal(times(covariance, first));
    second = orthonormal(times(covariance, second), first);
  }
  const variance = (axis: Float64Array) => dot(axis, times(covariance, axis));
  const found: [Float64Array, Float64Array] = [upright(first), upright(second)];
  return { axes: found, variances: [variance(first), variance(second)], total };
}

/** Each dimension's variance over rows [n, width]. */
export function variancesOf(rows: Float32Array, width: number): number[] {
  const count = rows.length / width;
  return Array.from({ length: width }, (_, i) => {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < count; row++) sum += rows[row * width + i]!;
    const mean = sum / count;
    for (let row = 0; row < count; row++) squares += (rows[row * width + i]! - mean) ** 2;
    return squares / count;
  });
}

function covarianceOf(rows: Float32Array, width: number): Float64Array {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  for (let at = 0; at < rows.length; at++) mean[at % width]! += rows[at]! / count;
  const covariance = new Float64Array(width * width);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) {
      const share = (rows[row * width + i]! - mean[i]!) / count;
      for (let j = 0; j <= i; j++) covariance[i * width + j]! += share * (rows[row * width + j]! - mean[j]!);
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) covariance[j * width + i] = covariance[i * width + j]!;
  return covariance;
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  return vector.map((_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += matrix[i * width + j]! * vector[j]!;
    return sum;
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A vector's part orthogonal to the unit vector `against`, normalized; if that is zero, a coordinate axis's part. */
function orthonormal(vector: Float64Array, against?: Float64Array): Float64Array {
  const across = (v: Float64Array) => {
    const along = against ? dot(v, against) : 0;
    return v.map((value, i) => value - along * (against?.[i] ?? 0));
  };
  let left = across(vector);
  let length = Math.sqrt(dot(left, left));
  const least = 1e-9 * Math.sqrt(dot(vector, vector));
  for (let i = 0; length <= least && i < vector.length; i++) {
    left = across(vector.map((_, j) => (i === j ? 1 : 0)));
    length = Math.sqrt(dot(left, left));
    if (length > 0.5) break;
    length = 0;
  }
  return left.map((value) => value / length);
}

/** Picks the sign that makes the largest component positive, so that a refreshed plane keeps its orientation. */
function upright(axis: Float64Array): Float64Array {
  const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? axis.map((value) => -value) : axis;
}
