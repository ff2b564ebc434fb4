import { gaussian } from "../../src/ops/gaussian.js";
import { memoryCase, minimised, tensor } from "../support/op_bench.js";

const mean = tensor("mean", "input", [128, 784]);
const x = tensor("x", "input", [128, 784]);

export const cases = [
  memoryCase("128x784", gaussian(mean, x, tensor("log_sigma", "state", [1]))),
  memoryCase("128x784 with its gradients", minimised(gaussian(mean, x, tensor("log_sigma", "param", [1])))),
];
