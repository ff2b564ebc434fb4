// Quantiles of the standard normal distribution: equal shares of the prior lie between a grid's neighbours.

/** The value below which a fraction p of N(0, 1) lies, for p between 0 and 1. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`p must lie between 0 and 1, not ${p}`);
  if (p > 0.5) return -normalQuantile(1 - p);
  // A first guess with an error of at most 4.5e-4 (Abramowitz and Stegun, 26.2.23), then Newton steps on log Phi, which
  // reach full f64 precision even in the far tail.
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let i = 0; i < 4; i++) {
    const below = lowerTail(x);
    x -= (Math.log(below / p) * below) / (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI));
  }
  return x;
}

/** `count` ascending values with equal shares of N(0, 1) between them: the midpoints of equal shares. */
export function normalGrid(count: number): number[] {
  return Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
}

/** The fraction of N(0, 1) below x, for x <= 0. */
function lowerTail(x: number): number {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > -3) {
    // Phi(x) - 1/2 as a series: x + x^3/3 + x^5/15 + ..., times the density.
    let [term, sum] = [x, x];
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n += 2) sum += term *= (x * x) / n;
    return 0.5 + density * sum;
  }
  // In the far tail, the continued fraction of Mills' ratio, which avoids cancellation.
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / (-x + fraction);
  return density / (-x + fraction);
}
