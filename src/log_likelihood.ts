// log p(x) of each example from the bounds of several submits, merged in f64.
import { WebvaeError } from "./errors.js";
import { boundOf, importanceType } from "./objectives/importance.js";
import type { Chosen } from "./objectives/index.js";

/** An estimate of log p(x), in nats. */
export interface LogLikelihood {
  /** The mean over the examples. */
  readonly logLikelihood: number;
  /** Standard error of that mean, by how much the examples differ. */
  readonly standardError: number;
  /** [count], of each example. */
  readonly perExample: Float32Array;
  /** [count], from 1 to `samples`: how many equally good draws the weighted ones are worth (Kong 1992). */
  readonly effectiveSamples: Float32Array;
  /** How many steps the weights had been trained. */
  readonly step: number;
}

/** What one submit says of an example: of so many draws, minus the logarithm of the mean of w, and that of the sum of w^2. */
export interface Bound {
  readonly draws: number;
  readonly bound: number;
  readonly squares: number;
}

/** log(exp(a) + exp(b)). */
const logAdd = (a: number, b: number) => {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log(Math.exp(a - most) + Math.exp(b - most));
};

/** Estimates of log p(x) of `count` examples, from draws that come in any number of parts. */
export class MergedBounds {
  /** Logarithms of the sums of w and of w^2. */
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #draws: Float64Array;

  constructor(count: number) {
    this.#sums = new Float64Array(count).fill(-Infinity);
    this.#squares = new Float64Array(count).fill(-Infinity);
    this.#draws = new Float64Array(count);
  }

  add(example: number, { draws, bound, squares }: Bound): void {
    this.#sums[example] = logAdd(this.#sums[example]!, Math.log(draws) - bound);
    this.#squares[example] = logAdd(this.#squares[example]!, squares);
    this.#draws[example]! += draws;
  }

  /**
   * log p(x) of each example by the mean of w, and the effective sample size (sum w)^2 / sum w^2; their mean, and its
   * standard error. Throws NON_FINITE naming the first example whose estimate is not finite.
   */
  get result(): Omit<LogLikelihood, "step"> {
    const each = this.#sums.map((sum, i) => sum - Math.log(this.#draws[i]!));
    const bad = each.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const why = "Training may have diverged";
      throw new WebvaeError("NON_FINITE", `logLikelihood: that of example ${bad} is ${each[bad]}. ${why}.`);
    }
    const { length } = each;
    const mean = each.reduce((sum, value) => sum + value / length, 0);
    const variance = each.reduce((sum, value) => sum + (value - mean) ** 2 / Math.max(length - 1, 1), 0);
    return {
      logLikelihood: mean,
      standardError: Math.sqrt(variance / length),
      perExample: Float32Array.from(each),
      effectiveSamples: Float32Array.from(each, (_, i) => Math.exp(2 * this.#sums[i]! - this.#squares[i]!)),
    };
  }
}

/** Of `count` examples. */
export const mergedBounds = (count: number): MergedBounds => new MergedBounds(count);

/** Draws of an example at once: enough to keep a GPU busy, few enough for its memory. */
const AT_ONCE = 50;

/** The objective whose bound estimates log p(x) by `samples` draws in parts. */
export function bounded(samples: number): Chosen {
  const json = { type: "iwae", samples: Math.min(AT_ONCE, samples) } as const;
  return {
    json,
    type: {
      ...importanceType,
      terms: (g, pass) => [{ name: "bound", value: g.output(boundOf(pass, "draws"), "bound") }],
    },
  };
}
