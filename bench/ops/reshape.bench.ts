import { opNamed } from "../../src/ops/index.js";
import { reshapeCopy } from "../../src/ops/reshape.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** Single-channel images as vectors, and feature maps whose every vec4 moves. */
const shapes = [
  [32, 28, 28, 1],
  [32, 14, 14, 33],
];

export const cases = shapes.flatMap(([B, H, W, C]) => {
  const to = [B!, H! * W! * C!];
  const forward = reshapeCopy("y", tensor("x", "input", [B!, H!, W!, C!], { activation: "relu" }), to);
  const { nodes } = opNamed("reshape").gradient!(forward, { y: tensor("dy", "input", to) }, () => true);
  return [forward, ...nodes].map((node) => memoryCase(`${B}x${H}x${W}x${C}`, node));
});
