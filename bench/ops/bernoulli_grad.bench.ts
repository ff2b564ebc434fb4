import { bernoulli } from "../../src/ops/bernoulli.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** As of importance weighting: five draws of each example, and weights of their own. */
const term = bernoulli(tensor("logits", "input", [640, 784]), tensor("x", "input", [128, 784]));
const over = tensor("over", "input", [640, 1]);
const [weighted] = opNamed("bernoulli").gradient!(term, { reconstruction: { knob: "beta", over } }, () => true).nodes;

export const cases = [memoryCase("128x784, 5 draws", weighted!)];
