import { opNamed } from "../../src/ops/index.js";
import { avgPool2d, maxPool2d } from "../../src/ops/pool.js";
import { memoryCase, tensor } from "../support/op_bench.js";

const x = tensor("x", "input", [32, 28, 28, 32]);
const dy = tensor("dy", "input", [32, 14, 14, 32]);

export const cases = [maxPool2d, avgPool2d].flatMap((pool) => {
  const forward = pool("y", x, { window: [2, 2], stride: [2, 2], pad: [0, 0], size: [14, 14] });
  const backward = opNamed(forward.op).gradient!(forward, { y: dy }, () => true).nodes[0]!;
  return [forward, backward].map((node) => memoryCase("32x28x28x32 by 2x2", node));
});
