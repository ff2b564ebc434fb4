// The likelihoods that only some models have, which are loaded when a spec names one.
import type { LikelihoodTypes } from "./definition.js";
import { gaussianType } from "./gaussian.js";
import { laplaceType } from "./laplace.js";

export const furtherLikelihoods: LikelihoodTypes = { gaussian: gaussianType, laplace: laplaceType };
