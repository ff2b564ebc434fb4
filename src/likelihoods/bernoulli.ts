// Values in [0, 1] by their logits.
import { bernoulli, bernoulliSample } from "../ops/bernoulli.js";
import type { LikelihoodType } from "./definition.js";
import type { BernoulliLikelihood } from "./json.js";

export const bernoulliType: LikelihoodType<BernoulliLikelihood> = {
  example: '"bernoulli"',
  words: [
    [/bce|bern|binary|entropy|logits/i, `"bernoulli", whose probabilities are sigmoids of the decoder's outputs`],
  ],
  needs: {},
  output: "logits",
  link: "sigmoid",
  loss: bernoulli,
  draw: bernoulliSample,
};
