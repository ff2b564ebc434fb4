// Heads of q(z|x) for tests of what draws from it.
import type { RandomValues } from "./random_values.js";

const LIMIT = 10;

/** Heads [B, 2, Z] with log variances on both sides of the limits and of the small-value series, and at 0. */
export function someHeads(B: number, Z: number, random: RandomValues): Float64Array {
  const heads = random.normal(B * 2 * Z, 2);
  const special = [0, 0.04, -0.04, 0.051, -0.051, 12, -12, LIMIT, -LIMIT, 1e-6, 88, -1e4].map(Math.fround);
  for (let i = 0; i < Math.min(B * Z, 36); i++) {
    heads[(Math.floor(i / Z) * 2 + 1) * Z + (i % Z)] = special[i % special.length]!;
  }
  return heads;
}
