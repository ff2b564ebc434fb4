// Reconstruction terms of likelihoods with a mean of each value and one scale, fixed or learned, and the Gaussian one
// (shaders/lib/location_scale.wgsl, shaders/gaussian.wgsl).
import gaussianShader from "../../shaders/gaussian.wgsl";
import type { Node } from "../graph.js";
import type { ShaderSource } from "../shader_source.js";
import { activationCode, like, tensor, type Tensor } from "../tensor.js";
import { exampleSizes, likelihoodGradient, reconstructionSums } from "./bernoulli.js";
import {
  ceilDiv,
  copiesConstant,
  copiesOf,
  siteConstant,
  stridesOf,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";
import { sumAll } from "./sum.js";

/** The term `name` of `shader`, its gradient and its draws. */
export function locationScale(name: string, shader: ShaderSource) {
  /** -log p(x|mean, scale) in nats, [B K, segments], of means [B K, D] for x [B, D]. */
  const loss = (mean: Tensor, x: Tensor, log_scale: Tensor): Node => ({
    op: name,
    inputs: { mean, x, log_scale, saved: mean.pre ?? mean },
    outputs: { reconstruction: reconstructionSums(mean) },
    attributes: { learned: log_scale.role === "param", ...copiesOf(mean, x) },
  });

  /** A draw y around the mean, of its shape. */
  const draw = (mean: Tensor, log_scale: Tensor): Node => ({
    op: `${name}_sample`,
    inputs: { mean, log_scale },
    outputs: { y: tensor("y", "activation", mean.shape) },
    attributes: { learned: log_scale.role === "param" },
  });

  const kernel = ({ op, inputs, outputs, attributes }: Node): Kernel => {
    const { mean, over } = inputs;
    if (!mean) throw new Error(`${op}: the mean is missing`);
    const [rows = 1] = mean.shape;
    const sizes = exampleSizes(mean);
    return {
      shader,
      entryPoint: op,
      constants: {
        WORKGROUP_SIZE,
        ACTIVATION: activationCode(mean.activation ?? "none"),
        KEEP_DMEAN: outputs.dmean ? 1 : 0,
        LEARNED: attributes.learned ? 1 : 0,
        ...copiesConstant(attributes),
        ...siteConstant(attributes),
      },
      shape: { rows, ...sizes, weight: 0, over_row: over ? stridesOf(over).over_row : 0 },
      workgroups: ceilDiv(rows * (op.endsWith("_sample") ? sizes.pixels : sizes.segments), WORKGROUP_SIZE),
    };
  };

  const ops: readonly Op[] = [
    { name, optional: ["dmean", "dlog_scale_parts"], kernel, gradient },
    { name: `${name}_grad`, kernel },
    { name: `${name}_sample`, kernel },
  ];
  return { loss, draw, ops };
}

const WORKGROUP_SIZE = 64;

/** With respect to the mean and, where it is a parameter, to log_scale [1]. */
function gradient(node: Node, upstream: Adjoints): Gradients {
  const { mean, log_scale } = node.inputs as Record<"mean" | "log_scale", Tensor>;
  const { reconstruction } = node.outputs as Record<"reconstruction", Tensor>;
  const dmean = tensor("dmean", "activation", mean.shape);
  if (!node.attributes.learned) return { nodes: [likelihoodGradient(node, upstream, { dmean })], of: { mean: dmean } };
  const parts: Tensor = { ...reconstruction, name: `d${log_scale.name}_parts`, role: "activation" };
  const total = like(log_scale, `d${log_scale.name}`, "gradient");
  const made = likelihoodGradient(node, upstream, { dmean, dlog_scale_parts: parts });
  return { nodes: [made, sumAll(parts, total)], of: { mean: dmean, log_scale: total } };
}

export const { loss: gaussian, draw: gaussianSample, ops: gaussianOps } = locationScale("gaussian", gaussianShader);
