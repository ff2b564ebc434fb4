// The gradient of the Bernoulli term by weights of the rows (shaders/bernoulli_grad.wgsl). By a knob alone, the term's own
// kernel makes it.
import shader from "../../shaders/bernoulli_grad.wgsl";
import { logitsKernel } from "./bernoulli.js";
import type { Op } from "./op.js";

export const bernoulliGradOps: readonly Op[] = [
  { name: "bernoulli_grad", kernel: (node) => logitsKernel(shader, node) },
];
