// A benchmark of an op: nodes with the minimum of arithmetic and bytes that they require.
import { install } from "../../src/toolbox.js";
import { fuse } from "../../src/fuse.js";
import { ONE, type Node } from "../../src/graph.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor, size, type Role, type Tensor } from "../../src/tensor.js";

// All ops are to be known before cases are made of them; a VAE would load what it needs itself.
install();

export interface OpCase {
  /** Shape and variant: "512x512x512". */
  readonly name: string;
  readonly node: Node;
  /** Floating-point operations, if arithmetic is the lower bound. */
  readonly flop?: number;
  /** Bytes read once and written once, if bandwidth is the lower bound. */
  readonly bytes?: number;
}

/** Bytes that a node reads and writes, each counted once. */
export function touchedBytes(node: Node): number {
  const tensors = new Set([...Object.values(node.inputs), ...Object.values(node.outputs)]);
  return [...tensors].reduce((sum, { storage }) => sum + 4 * size(storage), 0);
}

export function memoryCase(name: string, node: Node): OpCase {
  return { name, node, bytes: touchedBytes(node) };
}

/** A loss together with its gradient, as training makes both. */
export function minimised(node: Node, loss = "reconstruction"): Node {
  const { nodes } = opNamed(node.op).gradient!(node, { [loss]: { knob: ONE } }, () => true);
  return fuse({ nodes: [node, ...nodes] }).nodes[0]!;
}

export function flat(name: string, role: Role, length: number): Tensor {
  return { name, role, shape: [length], storage: [length] };
}

export { tensor };
