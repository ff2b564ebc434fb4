import { bernoulli } from "../../src/ops/bernoulli.js";
import { memoryCase, minimised, tensor } from "../support/op_bench.js";

const logits = tensor("logits", "input", [128, 784]);
const x = tensor("x", "input", [128, 784]);

export const cases = [
  memoryCase("128x784", bernoulli(logits, x)),
  memoryCase("128x784 with its gradient", minimised(bernoulli(logits, x))),
];
