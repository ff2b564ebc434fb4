// The twin of every op, by the op's name.
import { adamTwins } from "./adam.js";
import { addTwins } from "./add.js";
import { batchNormTwins } from "./batch_norm.js";
import { bernoulliTwins } from "./bernoulli.js";
import { bernoulliGradTwins } from "./bernoulli_grad.js";
import { concatTwins } from "./concat.js";
import { conv2dTwins } from "./conv2d.js";
import { drawsTwins } from "./draws.js";
import { dropoutTwins } from "./dropout.js";
import { gatherTwins } from "./gather.js";
import { gaussianTwins } from "./gaussian.js";
import { gradientNormTwins } from "./gradient_norm.js";
import { groupNormTwins } from "./group_norm.js";
import { importanceTwins } from "./importance.js";
import { labelsTwins } from "./labels.js";
import { laplaceTwins } from "./laplace.js";
import { linearTwins } from "./linear.js";
import { mixtureTwins } from "./mixture.js";
import { poolTwins } from "./pool.js";
import { reparameterizeTwins } from "./reparameterize.js";
import { reshapeTwins } from "./reshape.js";
import { sumTwins } from "./sum.js";
import type { Twin } from "./twin.js";
import { upsampleTwins } from "./upsample.js";
import { winogradTwins } from "./winograd.js";

const twins: Readonly<Record<string, Twin>> = {
  ...gatherTwins,
  ...linearTwins,
  ...poolTwins,
  ...upsampleTwins,
  ...conv2dTwins,
  ...winogradTwins,
  ...batchNormTwins,
  ...groupNormTwins,
  ...addTwins,
  ...dropoutTwins,
  ...reshapeTwins,
  ...reparameterizeTwins,
  ...bernoulliTwins,
  ...gaussianTwins,
  ...laplaceTwins,
  ...bernoulliGradTwins,
  ...drawsTwins,
  ...mixtureTwins,
  ...importanceTwins,
  ...labelsTwins,
  ...concatTwins,
  ...sumTwins,
  ...gradientNormTwins,
  ...adamTwins,
};

export function twinOf(op: string): Twin {
  const twin = twins[op];
  if (!twin) throw new Error(`op ${op} has no twin in test/reference`);
  return twin;
}

export const twinNames: readonly string[] = Object.keys(twins);
