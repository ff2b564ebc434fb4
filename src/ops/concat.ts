// Rows of two tensors side by side, y = [p | q] (shaders/concat.wgsl).
import concatShader from "../../shaders/concat.wgsl";
import type { Node } from "../graph.js";
import { activationCode, tensor, type Tensor } from "../tensor.js";
import {
  arriving,
  ceilDiv,
  copiesConstant,
  copiesOf,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";

/**
 * y [B K, P + Q], named `name`: the rows of p [B K, P], each followed by its example's row of q [B, Q]. q gets no
 * gradient.
 */
export function concat(name: string, p: Tensor, q: Tensor): Node {
  const [rows = 1, columns = 1] = p.shape;
  return {
    op: "concat",
    inputs: { p, q },
    outputs: { y: tensor(name, "activation", [rows, columns + q.shape[1]!]) },
    attributes: copiesOf(p, q),
  };
}

function gradient(node: Node, upstream: Adjoints): Gradients {
  const p = node.inputs.p!;
  const dp = tensor(`d${p.name}`, "activation", p.shape);
  const inputs = { dy: arriving(node, upstream, "y"), saved: p.pre ?? p };
  const attributes = { activation: p.activation ?? "none" };
  return { nodes: [{ op: "concat_grad", inputs, outputs: { dp }, attributes }], of: { p: dp } };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const { dy } = inputs;
  const p = (inputs.p ?? outputs.dp)!;
  const y = (outputs.y ?? dy)!;
  const [rows = 1, p_count = 1] = p.shape;
  const [p_stride, y_stride] = [p.storage[1]!, y.storage[1]!];
  return {
    shader: concatShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ACTIVATION: activationCode((attributes.activation ?? "none") as Parameters<typeof activationCode>[0]),
      ...copiesConstant(attributes),
    },
    shape: { rows, p_count, p_stride, q_count: y.shape[1]! - p_count, q_stride: inputs.q?.storage[1] ?? 0, y_stride },
    workgroups: ceilDiv((rows * (dy ? p_stride : y_stride)) / 4, WORKGROUP_SIZE),
  };
}

export const concatOps: readonly Op[] = [
  { name: "concat", kernel, gradient },
  { name: "concat_grad", kernel },
];
