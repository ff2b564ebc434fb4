// The gradient's squared norm in parts, and the check that halts a run whose loss isn't finite
// (shaders/gradient_norm.wgsl).
import gradientNormShader from "../../shaders/gradient_norm.wgsl";
import type { Node } from "../graph.js";
import { size, tensor, type Tensor } from "../tensor.js";
import { ceilDiv, type Kernel, type Op } from "./op.js";

const WORKGROUP_SIZE = 64;
/** vec4 of the gradient that a part sums at least, and the most parts: each is read back once a step. */
const PART_LENGTH = 128;
const MOST_PARTS = 4096;

/** Parts of the norm of a gradient of `length` floats. */
export function normParts(length: number): number {
  return Math.min(MOST_PARTS, ceilDiv(ceilDiv(length / 4, PART_LENGTH), WORKGROUP_SIZE) * WORKGROUP_SIZE);
}

/**
 * The squares of `gradients` in parts, and in `health` [2] whether a loss was ever not finite, and 1 + the last step
 * whose gradient was not.
 */
export function gradientNorm(gradients: Tensor, reconstruction: Tensor, kl: Tensor, health: Tensor): Node {
  const parts = normParts(size(gradients.storage));
  const norms: Tensor = { name: "norms", role: "ring", shape: [parts], storage: [parts] };
  return { op: "gradient_norm", inputs: { gradients, reconstruction, kl }, outputs: { norms, health }, attributes: {} };
}

/** The norm itself, [1], of its parts. */
export function totalNorm(norms: Tensor): Node {
  return { op: "total_norm", inputs: { norms }, outputs: { norm: tensor("norm", "activation", [1]) }, attributes: {} };
}

function kernel({ op, inputs, outputs }: Node): Kernel {
  const parts = size((outputs.norms ?? inputs.norms)?.storage ?? []);
  return {
    shader: gradientNormShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE },
    shape: {
      length: size(inputs.gradients?.storage ?? [0]) / 4,
      parts,
      reconstructions: size(inputs.reconstruction?.storage ?? [0]),
      kls: size(inputs.kl?.storage ?? [0]) / 4,
    },
    workgroups: op === "total_norm" ? 1 : ceilDiv(parts, WORKGROUP_SIZE),
  };
}

export const gradientNormOps: readonly Op[] = [
  { name: "gradient_norm", kernel },
  { name: "total_norm", kernel },
];
