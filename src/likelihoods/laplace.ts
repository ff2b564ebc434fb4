// A Laplace distribution with one scale b.
import { laplace, laplaceSample } from "../ops/laplace.js";
import type { LikelihoodType } from "./definition.js";
import type { LaplaceLikelihood } from "./json.js";
import { logScale, scaleOrLearned } from "./scale.js";

export const laplaceType: LikelihoodType<LaplaceLikelihood> = {
  example: '{ type: "laplace", scale }',
  words: [[/mae|l1|absolute|laplac/i, '{ type: "laplace", scale: 1 }, the sum of absolute errors plus a constant']],
  needs: { scale: scaleOrLearned },
  output: "mean",
  given: ({ scale }) => logScale("log_scale", scale, Math.log),
  loss: (mean, x, logScaleTensor) => laplace(mean, x, logScaleTensor!),
  draw: (mean, logScaleTensor) => laplaceSample(mean, logScaleTensor!),
};
