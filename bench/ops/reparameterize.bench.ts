import { reparameterize } from "../../src/ops/reparameterize.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

export const cases = [20, 128].flatMap((latents) => {
  const forward = reparameterize(tensor("heads", "input", [128, 2, latents]));
  const backward = opNamed("reparameterize").gradient!(
    forward,
    { z: tensor("dz", "input", [128, latents]), kl: { knob: "beta" } },
    () => true,
  ).nodes[0]!;
  return [memoryCase(`128x${latents}`, forward), memoryCase(`128x${latents}`, backward)];
});
