import { fuse } from "../../src/fuse.js";
import type { Node } from "../../src/graph.js";
import { conv2d } from "../../src/ops/conv2d.js";
import { opNamed } from "../../src/ops/index.js";
import { winogradSizes } from "../../src/ops/winograd.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { memoryCase, type OpCase } from "../support/op_bench.js";

/** The conv64 preset's second layer at its batch size, dispatch by dispatch: kernels 4x4, stride 2, padding "same". */
const B = 16;
const window = { stride: [2, 2], pad: [1, 1], size: [16, 16] } as const;
const x = tensor("x", "input", [B, 32, 32, 32], { activation: "relu" });
const forward = conv2d(
  "y",
  x,
  weightTensor("W", "param", [4, 4, 32], [64]),
  tensor("b", "param", [64]),
  window,
  "relu",
);
const dy = tensor("dy", "input", [B, 16, 16, 64]);
const { nodes } = opNamed(forward.op).gradient!(forward, { result: dy }, () => true);
const products = [forward, ...nodes].filter((node) => winogradSizes(node));
const dispatches = fuse({ nodes: products }, () => "winograd").nodes;

/** Multiply-adds of the nine products. */
function work(node: Node): number {
  const { tiles, channels, small } = winogradSizes(forward)!;
  return /_(down|up|across)$/.test(node.op) ? 9 * tiles * channels * small : 0;
}

export const cases: OpCase[] = dispatches.map((node) =>
  work(node) > 0
    ? { name: "32x32x32 to 16x16x64", node, flop: 2 * work(node) }
    : memoryCase("32x32x32 to 16x16x64", node),
);
