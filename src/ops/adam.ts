// Adam and AdamW on all weights at once (shaders/adam.wgsl).
import adamShader from "../../shaders/adam.wgsl";
import type { Node } from "../graph.js";
import { size, type Tensor } from "../tensor.js";
import { ceilDiv, type Op } from "./op.js";

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** AdamW: the decay shrinks the weights themselves. */
  readonly decoupled: boolean;
  /** Largest norm of the whole gradient; 0 leaves it as it is. */
  readonly clipNorm: number;
}

export interface AdamTensors {
  readonly params: Tensor;
  readonly gradients: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
  /** [1]: the gradient's norm, read where it is clipped. */
  readonly norm: Tensor;
  /** [2], as gradient_norm leaves it. */
  readonly health: Tensor;
}

export function adam(tensors: AdamTensors, options: AdamOptions): Node {
  const { gradients, norm, health, ...updated } = tensors;
  return { op: "adam", inputs: { gradients, norm, health }, outputs: updated, attributes: { ...options } };
}

const WORKGROUP_SIZE = 64;
/** vec4 of weights an invocation: PER_INVOCATION in the shader. */
const PER_INVOCATION = 16;

export const adamOps: readonly Op[] = [
  {
    name: "adam",
    kernel({ outputs, attributes }) {
      const length = size(outputs.params?.storage ?? []) / 4;
      return {
        shader: adamShader,
        entryPoint: "adam",
        constants: { WORKGROUP_SIZE, DECOUPLED: attributes.decoupled ? 1 : 0 },
        shape: {
          length,
          beta1: Number(attributes.beta1),
          beta2: Number(attributes.beta2),
          gain1: 1 - Number(attributes.beta1),
          gain2: 1 - Number(attributes.beta2),
          epsilon: Number(attributes.epsilon),
          weight_decay: Number(attributes.weightDecay),
          clip_norm: Number(attributes.clipNorm),
        },
        workgroups: ceilDiv(length, WORKGROUP_SIZE * PER_INVOCATION),
      };
    },
  },
];
