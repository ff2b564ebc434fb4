// The ops that only some models need: for images, norms and likelihoods with a scale.
import { addOps } from "./add.js";
import { batchNormOps } from "./batch_norm.js";
import { conv2dOps } from "./conv2d.js";
import { dropoutOps } from "./dropout.js";
import { gaussianOps } from "./gaussian.js";
import { groupNormOps } from "./group_norm.js";
import { laplaceOps } from "./laplace.js";
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
];

/** The rules of fuse.ts for these ops. */
export const fusions: readonly Fusion[] = [winograd];

/** What the core uses directly, outside of the layers that are loaded with these ops. */
export { add, addedUp } from "./add.js";
export { reshapeCopy } from "./reshape.js";
