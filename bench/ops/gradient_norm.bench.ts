import { gradientNorm } from "../../src/ops/gradient_norm.js";
import { flat, memoryCase, tensor } from "../support/op_bench.js";

/** The mlp preset with 20 latents. */
const PARAMETERS = 652_864;

export const cases = [
  memoryCase(
    `${PARAMETERS} weights`,
    gradientNorm(
      flat("gradients", "gradient", PARAMETERS),
      flat("reconstruction", "input", 128 * 13),
      flat("kl", "input", 128 * 20),
      tensor("health", "state", [2]),
    ),
  ),
];
