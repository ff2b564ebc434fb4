// The ops that only some models need: for images, norms, likelihoods with a scale, priors, objectives and labels.
import { addOps } from "./add.js";
import { batchNormOps } from "./batch_norm.js";
import { bernoulliGradOps } from "./bernoulli_grad.js";
import { concatOps } from "./concat.js";
import { conv2dOps } from "./conv2d.js";
import { drawsOps } from "./draws.js";
import { dropoutOps } from "./dropout.js";
import { gaussianOps } from "./gaussian.js";
import { groupNormOps } from "./group_norm.js";
import { importanceOps } from "./importance.js";
import { labelsOps } from "./labels.js";
import { laplaceOps } from "./laplace.js";
import { mixtureOps } from "./mixture.js";
import type { Fusion, Op } from "./op.js";
import { poolOps } from "./pool.js";
import { reshapeOps } from "./reshape.js";
import { upsampleOps } from "./upsample.js";
import { winograd, winogradOps } from "./winograd.js";

export const furtherOps: readonly Op[] = [
  ...poolOps,
  ...upsampleOps,
  ...conv2dOps,
  ...winogradOps,
  ...batchNormOps,
  ...groupNormOps,
  ...addOps,
  ...dropoutOps,
  ...reshapeOps,
  ...gaussianOps,
  ...laplaceOps,
  ...bernoulliGradOps,
  ...drawsOps,
  ...mixtureOps,
  ...importanceOps,
  ...labelsOps,
  ...concatOps,
];

/** The rules of fuse.ts for these ops. */
export const fusions: readonly Fusion[] = [winograd];

/** What the core uses directly, outside of the layers that are loaded with these ops. */
export { add, addedUp, renamed } from "./add.js";
export { concat } from "./concat.js";
export { draws } from "./draws.js";
export { gatherLabels, labelsTensor } from "./labels.js";
export { reshapeCopy } from "./reshape.js";
