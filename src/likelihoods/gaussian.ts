// A normal distribution with one sigma.
import { gaussian, gaussianSample } from "../ops/gaussian.js";
import type { LikelihoodType } from "./definition.js";
import type { GaussianLikelihood } from "./json.js";
import { logScale, scaleOrLearned } from "./scale.js";

export const gaussianType: LikelihoodType<GaussianLikelihood> = {
  example: '{ type: "gaussian", variance }',
  words: [
    [/mse|l2|square/i, '{ type: "gaussian", variance: 0.5 }, the sum of squared errors plus a constant'],
    [/gauss|normal/i, '{ type: "gaussian", variance: "learned" }, or a number'],
  ],
  needs: { variance: scaleOrLearned },
  output: "mean",
  given: ({ variance }) => logScale("log_sigma", variance, (value) => 0.5 * Math.log(value)),
  loss: (mean, x, logSigma) => gaussian(mean, x, logSigma!),
  draw: (mean, logSigma) => gaussianSample(mean, logSigma!),
};
