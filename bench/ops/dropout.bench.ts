import { dropout } from "../../src/ops/dropout.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** A feature map of the conv preset, and a dense layer, at their batch sizes. */
const shapes = [
  [32, 14, 14, 32],
  [128, 400],
];

export const cases = shapes.flatMap((shape) => {
  const forward = dropout("y", tensor("x", "input", shape, { activation: "relu" }), 0.2, 0);
  const { nodes } = opNamed("dropout").gradient!(forward, { y: tensor("dy", "input", shape) }, () => true);
  return [forward, ...nodes].map((node) => memoryCase(shape.join("x"), node));
});
