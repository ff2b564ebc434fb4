import { draws } from "../../src/ops/draws.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** As of importance weighting: five draws of each example, and weights of their own. */
export const cases = [20, 128].flatMap((latents) => {
  const forward = draws(tensor("heads", "input", [128, 2, latents]), 5, true);
  const over = tensor("over", "input", [640, 1]);
  const backward = opNamed("draws").gradient!(
    forward,
    { z: tensor("dz", "input", [640, latents]), ratio: { knob: "beta", over } },
    () => true,
  ).nodes[0]!;
  return [memoryCase(`128x${latents}, 5 draws`, forward), memoryCase(`128x${latents}, 5 draws`, backward)];
});
