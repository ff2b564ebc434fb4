import { laplace } from "../../src/ops/laplace.js";
import { memoryCase, minimised, tensor } from "../support/op_bench.js";

const mean = tensor("mean", "input", [128, 784]);
const x = tensor("x", "input", [128, 784]);

export const cases = [
  memoryCase("128x784", laplace(mean, x, tensor("log_scale", "state", [1]))),
  memoryCase("128x784 with its gradients", minimised(laplace(mean, x, tensor("log_scale", "param", [1])))),
];
