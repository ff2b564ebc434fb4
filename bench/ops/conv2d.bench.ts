import type { Node } from "../../src/graph.js";
import { conv2d, conv2dTranspose } from "../../src/ops/conv2d.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import type { OpCase } from "../support/op_bench.js";

/** The layers of the conv preset at its batch size: kernels 3x3, padding "same". */
const B = 32;
const KERNEL = 3;
const layers = [
  { make: conv2d, from: [28, 28, 1], to: [14, 14, 32], stride: 2 },
  { make: conv2d, from: [14, 14, 32], to: [7, 7, 64], stride: 2 },
  { make: conv2dTranspose, from: [7, 7, 64], to: [14, 14, 64], stride: 2 },
  { make: conv2dTranspose, from: [14, 14, 64], to: [28, 28, 32], stride: 2 },
  { make: conv2dTranspose, from: [28, 28, 32], to: [28, 28, 1], stride: 1 },
] as const;

/** Pairs of a small pixel and a tap along an axis that fall on a large pixel, not on the padding. */
function meetings(large: number, small: number, stride: number, pad: number): number {
  let count = 0;
  for (let i = 0; i < small; i++) {
    for (let u = 0; u < KERNEL; u++) {
      const at = i * stride + u - pad;
      if (at >= 0 && at < large) count++;
    }
  }
  return count;
}

export const cases: OpCase[] = layers.flatMap(({ make, from, to, stride }): OpCase[] => {
  const [large, small] = make === conv2d ? [from, to] : [to, from];
  const x = tensor("x", "input", [B, ...from], { activation: "relu" });
  const W = weightTensor("W", "param", [KERNEL, KERNEL, large[2]], [small[2]]);
  const pad = stride === 1 ? 1 : 0;
  const window = { stride: [stride, stride], pad: [pad, pad], size: [to[0], to[1]] } as const;
  const forward = make("y", x, W, tensor("b", "param", [to[2]]), window, "relu");
  const dy = tensor("dy", "input", [B, ...to]);
  const { nodes } = opNamed(forward.op).gradient!(forward, { result: dy }, () => true);
  const ofOp = (name: string): Node => nodes.find(({ op }) => op === `${forward.op}${name}`)!;
  const flop = 2 * B * meetings(large[0], small[0], stride, pad) ** 2 * large[2] * small[2];
  const name = `${from.join("x")} to ${to.join("x")} s${stride}`;
  return [
    { name, node: forward, flop },
    { name, node: ofOp("_grad_weight"), flop },
    { name, node: ofOp("_grad_input"), flop },
  ];
});
