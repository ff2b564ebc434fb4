// The bound of several draws of each example, and what each draw weighs in its gradient (shaders/importance.wgsl).
import importanceShader from "../../shaders/importance.wgsl";
import type { Node } from "../graph.js";
import type { Tensor } from "../tensor.js";
import {
  ceilDiv,
  copiesConstant,
  weightOf,
  type Adjoint,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";

const column = (name: string, role: "ring" | "activation", rows: number): Tensor => ({
  name,
  role,
  shape: [rows, 1],
  storage: [rows, 1],
});

/**
 * bound [B, 1], minus the logarithm of the mean of w over the K draws of an example, in nats; `squares` [B, 1], the
 * logarithm of the sum of w^2; `weights` [B K, 1], K w over their sum. `losses` are those that make -log w: the
 * reconstruction [B K, R], the ratio [B K, Z] and, of a prior that is not part of it, that one's [B K, 1]. With the knob
 * `draws` only so many draws count.
 */
export function importance(losses: readonly Tensor[], examples: number, draws?: string): Node {
  const [reconstruction, ratio, prior] = losses as [Tensor, Tensor, Tensor?];
  const [rows = 1] = reconstruction.shape;
  return {
    op: prior ? "importance_prior" : "importance",
    inputs: { reconstruction, ratio, ...(prior ? { prior } : {}) },
    outputs: {
      bound: column("bound", "ring", examples),
      squares: column("squares", "ring", examples),
      // The model's copy in f16 is named "weights".
      weights: column("draw_weights", "activation", rows),
    },
    attributes: { copies: rows / examples },
    ...(draws ? { knobs: { draws } } : {}),
  };
}

/** Each loss's own weight is the bound's, times the draw's. No node is needed: the losses' gradients take it as it is. */
function gradient(node: Node, upstream: Adjoints): Gradients {
  const { knob } = weightOf(node, upstream, "bound");
  const weight: Adjoint = { knob, over: node.outputs.weights! };
  return { nodes: [], of: Object.fromEntries(Object.keys(node.inputs).map((key) => [key, weight])) };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes, knobs }: Node): Kernel {
  const [rows = 1] = outputs.bound!.shape;
  return {
    shader: importanceShader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      PARTIAL: knobs ? 1 : 0,
      KEEP_WEIGHTS: outputs.weights ? 1 : 0,
      KEEP_SQUARES: outputs.squares ? 1 : 0,
      ...copiesConstant(attributes),
    },
    shape: {
      rows,
      reconstructions: inputs.reconstruction!.storage[1]!,
      ratios: inputs.ratio!.storage[1]!,
      draws: 0,
    },
    workgroups: ceilDiv(rows, WORKGROUP_SIZE),
  };
}

const optional = ["squares", "weights"];

export const importanceOps: readonly Op[] = [
  { name: "importance", optional, kernel, gradient },
  { name: "importance_prior", optional, kernel, gradient },
];
