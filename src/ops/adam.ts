// Adam and AdamW on all weights at once (shaders/adam.wgsl).
import adamShader from "../../shaders/adam.wgsl";
import type { Node } from "../graph.js";
import { size, type Tensor } from "../tensor.js";
import { ceilDiv, type Kernel, type Op } from "./op.js";

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

/**
 * One step, with the knobs learning_rate, correction1 = 1 / (1 - beta1^t) and correction2. `weights`, where it is given, is the
 * f16 copy that products read.
 */
export function adam(tensors: AdamTensors, options: AdamOptions, weights?: Tensor): Node {
  const { gradients, norm, health, ...updated } = tensors;
  const outputs = { ...updated, ...(weights ? { weights } : {}) };
  const knobs = { rate: "learning_rate", correction1: "correction1", correction2: "correction2" };
  return { op: "adam", inputs: { gradients, norm, health }, outputs, attributes: { ...options }, knobs };
}

/** weights = params, in f16. */
export function storeWeights(params: Tensor, weights: Tensor): Node {
  return { op: "store_weights", inputs: { params }, outputs: { weights }, attributes: {} };
}

const WORKGROUP_SIZE = 64;
/** vec4 of weights an invocation: PER_INVOCATION in the shader. */
const PER_INVOCATION = 16;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const length = size((outputs.params ?? inputs.params)?.storage ?? []) / 4;
  const { beta1 = 0, beta2 = 0, epsilon = 0, weightDecay = 0, clipNorm = 0 } = attributes as Partial<AdamOptions>;
  return {
    shader: adamShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ...(op === "adam" ? { DECOUPLED: attributes.decoupled ? 1 : 0, KEEP_WEIGHTS: outputs.weights ? 1 : 0 } : {}),
    },
    shape: {
      length,
      beta1,
      beta2,
      gain1: 1 - beta1,
      gain2: 1 - beta2,
      epsilon,
      weight_decay: weightDecay,
      clip_norm: clipNorm,
      rate: 0,
      correction1: 0,
      correction2: 0,
    },
    workgroups: ceilDiv(length, WORKGROUP_SIZE * PER_INVOCATION),
  };
}

export const adamOps: readonly Op[] = [
  { name: "adam", kernel },
  { name: "store_weights", kernel },
];
