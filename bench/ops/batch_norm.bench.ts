import { batchNorm, updateRunning } from "../../src/ops/batch_norm.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

const shape = [32, 28, 28, 32];
const [gamma, beta] = [tensor("gamma", "param", [32]), tensor("beta", "param", [32])];
const [runningMean, runningVariance] = [
  tensor("running_mean", "state", [32]),
  tensor("running_variance", "state", [32]),
];
const affine = { gamma, beta };
const forward = batchNorm("y", tensor("x", "input", shape), affine, { epsilon: 1e-3 }, "relu");
const last = forward.at(-1)!;
const running = { ...affine, runningMean, runningVariance };
const update = updateRunning(last, running, { momentum: 0.99 }, tensor("health", "state", [2]));
const backward = opNamed("batch_norm").gradient!(last, { y: tensor("dy", "input", shape) }, () => true);

export const cases = [...forward, ...backward.nodes, update].map((node) => memoryCase(shape.join("x"), node));
