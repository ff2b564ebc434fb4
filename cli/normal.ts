// Quantiles of the normal distribution, and latent points at equal steps of probability under the prior, so that a
// picture decoded from them shows each region in proportion to its probability.

import { WebvaeError } from "../src/index.js";

// Algorithm AS 241, PPND16: M. J. Wichura, "The percentage points of the normal distribution", Applied Statistics 37
// (1988), 477-484. Three rational functions, lowest degree first, accurate to about 1 in 10^16. The coefficients are
// rounded to double precision.
const central = [
  [
    ...[3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946],
    ...[45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227],
  ],
  [
    ...[1, 42.31333070160091, 687.1870074920579, 5394.196021424751],
    ...[21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854],
  ],
] as const;
const middle = [
  [
    ...[1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045],
    ...[1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414],
  ],
  [
    ...[1, 2.053191626637759, 1.6763848301838038, 0.6897673349851],
    ...[0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9],
  ],
] as const;
const tail = [
  [
    ...[6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487],
    ...[0.026532189526576124, 0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7],
  ],
  [
    ...[1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615],
    ...[0.0007868691311456133, 0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15],
  ],
] as const;

function ratio([above, below]: readonly [readonly number[], readonly number[]], x: number): number {
  const polynomial = (terms: readonly number[]): number => terms.reduceRight((sum, term) => sum * x + term, 0);
  return polynomial(above) / polynomial(below);
}

/**
 * The x below which a standard normal variable falls with probability `p`.
 * @throws WebvaeError INVALID_OPTION unless 0 < p < 1.
 */
export function inverseNormalCdf(p: number): number {
  if (!(p > 0 && p < 1)) throw new WebvaeError("INVALID_OPTION", `p must be a probability in (0, 1), not ${p}.`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(central, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  return Math.sign(q) * (r <= 5 ? ratio(middle, r - 1.6) : ratio(tail, r - 5));
}

/**
 * Latent points for an n x n grid of decoded pictures, row by row from the top: [n * n, 2]. The first latent increases
 * to the right and the second upwards, as in a chart, through the quantiles (i + 1/2) / n.
 */
export function manifoldPoints(n: number): Float32Array {
  const points = new Float32Array(n * n * 2);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      points[(row * n + column) * 2] = inverseNormalCdf((column + 0.5) / n);
      points[(row * n + column) * 2 + 1] = inverseNormalCdf((n - row - 0.5) / n);
    }
  }
  return points;
}
