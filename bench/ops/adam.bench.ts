import { adam } from "../../src/ops/adam.js";
import { flat, memoryCase, tensor } from "../support/op_bench.js";

/** The mlp preset with 20 latents. */
const PARAMETERS = 652_864;

const node = adam(
  {
    params: flat("params", "param", PARAMETERS),
    gradients: flat("gradients", "gradient", PARAMETERS),
    moment1: flat("moment1", "state", PARAMETERS),
    moment2: flat("moment2", "state", PARAMETERS),
    norm: flat("norm", "input", 4),
    health: tensor("health", "state", [2]),
  },
  { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 },
);

// Weights and moments are read and written.
export const cases = [{ ...memoryCase(`${PARAMETERS} weights`, node), bytes: 7 * 4 * PARAMETERS }];
