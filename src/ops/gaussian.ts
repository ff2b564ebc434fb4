// The Gaussian reconstruction term with one sigma, fixed or learned, with its gradients (shaders/gaussian.wgsl).
import gaussianShader from "../../shaders/gaussian.wgsl";
import type { Node } from "../graph.js";
import { activationCode, like, tensor, type Tensor } from "../tensor.js";
import { exampleSizes, likelihoodGradient, reconstructionSums } from "./bernoulli.js";
import { ceilDiv, siteConstant, stridesOf, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";
import { sumAll } from "./sum.js";

/** -log p(x|mean, sigma) in nats, [B, segments]. */
export function gaussian(mean: Tensor, x: Tensor, log_sigma: Tensor): Node {
  return {
    op: "gaussian",
    inputs: { mean, x, log_sigma, saved: mean.pre ?? mean },
    outputs: { reconstruction: reconstructionSums(x) },
    attributes: { learned: log_sigma.role === "param" },
  };
}

/** With respect to the mean and, where it is a parameter, to log_sigma [1]. */
function gradient(node: Node, upstream: Adjoints): Gradients {
  const { mean, x, log_sigma } = node.inputs as Record<"mean" | "x" | "log_sigma", Tensor>;
  const dmean = tensor("dmean", "activation", mean.shape);
  if (!node.attributes.learned) return { nodes: [likelihoodGradient(node, upstream, { dmean })], of: { mean: dmean } };
  const parts: Tensor = { ...reconstructionSums(x), name: "dlog_sigma_parts", role: "activation" };
  const dlogSigma = like(log_sigma, `d${log_sigma.name}`, "gradient");
  const made = likelihoodGradient(node, upstream, { dmean, dlog_sigma_parts: parts });
  return { nodes: [made, sumAll(parts, dlogSigma)], of: { mean: dmean, log_sigma: dlogSigma } };
}

/** A draw y around the mean, of its shape. */
export function gaussianSample(mean: Tensor, log_sigma: Tensor): Node {
  const y = tensor("y", "activation", mean.shape);
  const attributes = { learned: log_sigma.role === "param" };
  return { op: "gaussian_sample", inputs: { mean, log_sigma }, outputs: { y }, attributes };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const { mean, over } = inputs;
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
    shape: { rows, ...sizes, weight: 0, over_row: over ? stridesOf(over).over_row : 0 },
    workgroups: ceilDiv(rows * (op === "gaussian_sample" ? sizes.pixels : sizes.segments), WORKGROUP_SIZE),
  };
}

export const gaussianOps: readonly Op[] = [
  { name: "gaussian", optional: ["dmean", "dlog_sigma_parts"], kernel, gradient },
  { name: "gaussian_grad", kernel },
  { name: "gaussian_sample", kernel },
];
