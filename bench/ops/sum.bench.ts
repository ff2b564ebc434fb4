import { sumAll, sumParts } from "../../src/ops/sum.js";
import { flat, memoryCase, tensor } from "../support/op_bench.js";

const parts = { ...tensor("parts", "input", [4, 784, 400]), shape: [4, 784, 400] };

export const cases = [
  memoryCase("4 parts of 784x400", sumParts(parts, flat("y", "gradient", 784 * 400))),
  memoryCase("100000 values", sumAll(flat("values", "input", 100_000), tensor("y", "gradient", [1]))),
];
