// The Gaussian reconstruction term with one sigma, fixed or learned, with its gradients (shaders/gaussian.wgsl).
import gaussianShader from "../../shaders/gaussian.wgsl";
import type { Node } from "../graph.js";
import { activationCode, like, tensor, type Tensor } from "../tensor.js";
import { exampleSizes, reconstructionSums } from "./bernoulli.js";
import { ceilDiv, siteConstant, type Gradients, type Kernel, type Op } from "./op.js";
import { sumAll } from "./sum.js";

/**
 * -log p(x|mean, sigma) in nats, [B, segments]; with `gradients` also those with respect to the mean and, where
 * `log_sigma` [1] is a parameter, to it.
 */
export function gaussian(mean: Tensor, x: Tensor, log_sigma: Tensor, gradients: boolean): Node {
  const reconstruction = reconstructionSums(x);
  const learned = log_sigma.role === "param";
  return {
    op: "gaussian",
    inputs: { mean, x, log_sigma, saved: mean.pre ?? mean },
    outputs: {
      reconstruction,
      ...(gradients ? { dmean: tensor("dmean", "activation", mean.shape) } : {}),
      ...(gradients && learned
        ? { dlog_sigma_parts: { ...reconstruction, name: "dlog_sigma_parts", role: "activation" } }
        : {}),
    },
    attributes: { learned },
  };
}

function gradient(node: Node): Gradients {
  const { dmean, dlog_sigma_parts: parts } = node.outputs;
  const { log_sigma } = node.inputs;
  if (!dmean || !log_sigma) throw new Error("gaussian: built without gradients");
  if (!parts) return { nodes: [], of: { mean: dmean } };
  const dlogSigma = like(log_sigma, `d${log_sigma.name}`, "gradient");
  return { nodes: [sumAll(parts, dlogSigma)], of: { mean: dmean, log_sigma: dlogSigma } };
}

/** A draw y around the mean, of its shape. */
export function gaussianSample(mean: Tensor, log_sigma: Tensor): Node {
  const y = tensor("y", "activation", mean.shape);
  const attributes = { learned: log_sigma.role === "param" };
  return { op: "gaussian_sample", inputs: { mean, log_sigma }, outputs: { y }, attributes };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const { mean } = inputs;
  if (!mean) throw new Error(`${op}: the mean is missing`);
  const [rows = 1] = mean.shape;
  const sizes = exampleSizes(mean);
  return {
    shader: gaussianShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ACTIVATION: activationCode(mean.activation ?? "none"),
      KEEP_DMEAN: outputs.dmean ? 1 : 0,
      LEARNED: attributes.learned ? 1 : 0,
      ...siteConstant(attributes),
    },
    shape: { rows, ...sizes },
    workgroups: ceilDiv(rows * (op === "gaussian" ? sizes.segments : sizes.pixels), WORKGROUP_SIZE),
  };
}

export const gaussianOps: readonly Op[] = [
  { name: "gaussian", kernel, gradient },
  { name: "gaussian_sample", kernel },
];
