import { partsOf } from "../../src/ops/op.js";
import { sumAll, sumPairs } from "../../src/ops/sum.js";
import { flat, memoryCase, tensor } from "../support/op_bench.js";

const [W, b] = [flat("W", "gradient", 784 * 400), flat("b", "gradient", 400)];

export const cases = [
  memoryCase("4 parts of 784x400", sumPairs(partsOf(W, 4), W, partsOf(b, 4), b)),
  memoryCase("100000 values", sumAll(flat("values", "input", 100_000), tensor("y", "gradient", [1]))),
];
