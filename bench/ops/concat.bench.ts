import { concat } from "../../src/ops/concat.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

const label = tensor("q", "input", [128, 10]);

export const cases = [20, 784].flatMap((columns) => {
  const forward = concat("y", tensor("p", "input", [128, columns]), label);
  const dy = tensor("dy", "input", [128, columns + 10]);
  const backward = opNamed("concat").gradient!(forward, { y: dy }, () => true).nodes[0]!;
  return [memoryCase(`128x${columns} and 10`, forward), memoryCase(`128x${columns} and 10`, backward)];
});
