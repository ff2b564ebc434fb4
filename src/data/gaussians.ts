// Points in the plane from a mixture of Gaussians with equal weights: small, easy to see, with a known density.

import { quoted } from "../checks.js";
import { allocated, invalidOption } from "../options.js";
import type { Dataset } from "./dataset.js";
import { checkGenerated, exampleRandom, type GeneratedOptions } from "./generated.js";

type Point = readonly [number, number];
/** Cholesky factor [L00, L10, L11] of a covariance: a point is mean + L e with e ~ N(0, I). */
type Cholesky = readonly [number, number, number];

export interface Mixture {
  means: readonly Point[];
  cholesky: Cholesky;
}

// [[1, 1/2], [1/2, 1]] = L L^T with L = [[1, 0], [1/2, sqrt(3)/2]].
const CORRELATED: Cholesky = [1, 0.5, Math.sqrt(0.75)];
const DIAGONAL = 4 * Math.sqrt(0.5);

export const MIXTURES = {
  /** Means 0.7 apart with standard deviations of 0.7 to 1.2: no classifier can tell the components apart well. */
  overlapping: {
    means: [
      [1, 1],
      [1.5, 0.5],
    ],
    cholesky: CORRELATED,
  },
  /** Means 8.5 apart across the narrow axis (standard deviation 0.7): 12 deviations. */
  separated: {
    means: [
      [-3, 3],
      [3, -3],
    ],
    cholesky: CORRELATED,
  },
  /** Eight round blobs on a circle of radius 4, neighbours 3.1 apart at a standard deviation of 0.3. */
  ring: {
    means: [
      [4, 0],
      [DIAGONAL, DIAGONAL],
      [0, 4],
      [-DIAGONAL, DIAGONAL],
      [-4, 0],
      [-DIAGONAL, -DIAGONAL],
      [0, -4],
      [DIAGONAL, -DIAGONAL],
    ],
    cholesky: [0.3, 0, 0.3],
  },
} as const satisfies Record<string, Mixture>;

/** Which points, and how many. */
export interface GaussiansOptions extends GeneratedOptions {
  variant?: keyof typeof MIXTURES;
}

/**
 * `count` points [2] labelled with their component. Point i depends only on seed, split and i; the splits share no
 * random numbers. Between machines, values may differ in a float's last bit, as Math.log and Math.cos do.
 * Throws INVALID_OPTION.
 */
export function gaussians(options: GaussiansOptions): Dataset {
  const { split, count, seed, variant = "overlapping" } = checkGenerated("gaussians", options, "variant");
  const mixture: Mixture | undefined =
    typeof variant === "string" && Object.hasOwn(MIXTURES, variant) ? MIXTURES[variant] : undefined;
  if (!mixture) {
    const known = Object.keys(MIXTURES).join(", ");
    throw invalidOption(`gaussians: variant must be one of ${known}, not ${quoted(variant)}.`);
  }
  const { means, cholesky } = mixture;
  const values = allocated("gaussians", count, () => new Float32Array(count * 2));
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const random = exampleRandom(seed, split, i);
    const component = random.integer(means.length);
    const [meanX, meanY] = means[component]!;
    const e0 = random.normal();
    const e1 = random.normal();
    labels[i] = component;
    values[2 * i] = meanX + cholesky[0] * e0;
    values[2 * i + 1] = meanY + cholesky[1] * e0 + cholesky[2] * e1;
  }
  return { name: `gaussians-${variant}`, shape: [2], count, values, labels };
}
