// Twin of shaders/bernoulli_grad.wgsl.
import { bernoulliGrad } from "./bernoulli.js";
import type { Twin } from "./twin.js";

export const bernoulliGradTwins: Readonly<Record<string, Twin>> = { bernoulli_grad: bernoulliGrad };
