import { opNamed } from "../../src/ops/index.js";
import { upsample2d } from "../../src/ops/upsample.js";
import { memoryCase, tensor } from "../support/op_bench.js";

const x = tensor("x", "input", [32, 28, 28, 32]);
const dy = tensor("dy", "input", [32, 56, 56, 32]);

export const cases = (["nearest", "bilinear"] as const).flatMap((mode) => {
  const forward = upsample2d("y", x, [2, 2], mode);
  const backward = opNamed(forward.op).gradient!(forward, { y: dy }, () => true).nodes[0]!;
  return [forward, backward].map((node) => memoryCase("32x28x28x32 by 2x2", node));
});
