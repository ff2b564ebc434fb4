// A loss's node with its gradient, as a graph that is minimised has them.
import { fuse } from "../../src/fuse.js";
import { ONE, type Node } from "../../src/graph.js";
import { opNamed } from "../../src/ops/index.js";
import type { Adjoints, Weight } from "../../src/ops/op.js";
import type { Tensor } from "../../src/tensor.js";

/** The node that makes a loss and, in the same pass, its gradient by a weight that is the knob alone. */
export function minimised(node: Node, knob = ONE, loss = "reconstruction"): Node {
  return fuse({ nodes: [node, gradientBy(node, { knob }, loss)] }).nodes[0]!;
}

/** The node that makes the gradient alone. */
export function gradientBy(node: Node, weight: Weight, loss = "reconstruction"): Node {
  return opNamed(node.op).gradient!(node, { [loss]: weight }, () => true).nodes[0]!;
}

/** A weight of each row, or of each row and part: 1 where all have the same. */
export const weightsTensor = (rows: number, parts = 1): Tensor => ({
  name: "over",
  role: "input",
  shape: [rows, parts],
  storage: [rows, parts],
});

/** Gradients of which none is a loss's weight. */
export const tensorsOf = (of: Adjoints) => of as Readonly<Record<string, Tensor>>;
