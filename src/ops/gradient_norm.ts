// The gradient's squared norm in parts, and the check that halts a run whose loss isn't finite
// (shaders/gradient_norm.wgsl).
import gradientNormShader from "../../shaders/gradient_norm.wgsl";
import type { Node } from "../graph.js";
import { size, type Tensor } from "../tensor.js";
import type { Op } from "./op.js";

/** Parts of the norm: PARTS in the shader. */
export const NORM_PARTS = 64;

export function gradientNorm(gradients: Tensor, reconstruction: Tensor, kl: Tensor, halted: Tensor): Node {
  const norms: Tensor = { name: "norms", role: "output", shape: [NORM_PARTS], storage: [NORM_PARTS] };
  return { op: "gradient_norm", inputs: { gradients, reconstruction, kl }, outputs: { norms, halted }, attributes: {} };
}

export const gradientNormOps: readonly Op[] = [
  {
    name: "gradient_norm",
    kernel({ inputs }) {
      return {
        shader: gradientNormShader,
        entryPoint: "gradient_norm",
        constants: {},
        shape: {
          length: size(inputs.gradients?.storage ?? []) / 4,
          reconstructions: size(inputs.reconstruction?.storage ?? []),
          kls: size(inputs.kl?.storage ?? []),
        },
        workgroups: NORM_PARTS,
      };
    },
  },
];
