// Twin of shaders/laplace.wgsl.
import { locationScaleTwins } from "./gaussian.js";
import { uniform } from "./random.js";

/** The inverse of the distribution function, with the upper tail's half step that keeps it finite at 1. */
function quantile(u: number): number {
  return u <= 0.5 ? Math.log(2 * u) : -Math.log(2 * (1 - u) + 2 ** -24);
}

export const laplaceTwins = locationScaleTwins("laplace", {
  loss: (u) => Math.abs(u) + Math.LN2,
  slope: Math.sign,
  draws: (words) => words.map((word) => quantile(uniform(word))),
});
