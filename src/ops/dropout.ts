// Dropout and its gradient, which draws the same mask again (shaders/dropout.wgsl).
import dropoutShader from "../../shaders/dropout.wgsl";
import type { Node } from "../graph.js";
import { activationCode, size, tensor, type Activation, type Tensor } from "../tensor.js";
import { arriving, ceilDiv, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";

/**
 * y = 0 with probability `rate`, from 0 to below 1; otherwise x divided by the probability of being kept.
 * `name` is y's. `layer` numbers the dropouts of a model, so that no two share a mask.
 */
export function dropout(name: string, x: Tensor, rate: number, layer: number): Node {
  const y = tensor(name, "activation", x.shape);
  return { op: "dropout", inputs: { x }, outputs: { y }, attributes: { rate, layer } };
}

function gradient(of: Node, upstream: Adjoints): Gradients {
  const { x } = of.inputs as Record<"x", Tensor>;
  const dy = arriving(of, upstream, "y");
  const dx = tensor(`d${x.name}`, "activation", x.shape);
  const node: Node = {
    op: "dropout_grad",
    inputs: { dy, saved: x.pre ?? x },
    outputs: { dx },
    attributes: { ...of.attributes, activation: x.activation ?? "none" },
  };
  return { nodes: [node], of: { x: dx } };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, outputs, attributes }: Node): Kernel {
  const length = size((outputs.y ?? outputs.dx)?.storage ?? []) / 4;
  const [rate, layer] = [Number(attributes.rate), Number(attributes.layer)];
  return {
    shader: dropoutShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ...(op === "dropout_grad" ? { ACTIVATION: activationCode(attributes.activation as Activation) } : {}),
    },
    // A rate within 2^-32 of 1 would otherwise wrap around to 0.
    shape: { length, layer, threshold: Math.min(Math.ceil(rate * 2 ** 32), 2 ** 32 - 1), scale: 1 / (1 - rate) },
    workgroups: ceilDiv(length, WORKGROUP_SIZE),
  };
}

export const dropoutOps: readonly Op[] = [
  { name: "dropout", kernel, gradient },
  { name: "dropout_grad", kernel },
];
