// Several draws of each example, with log q(z|x) - log p(z) of each (shaders/draws.wgsl).
import drawsShader from "../../shaders/draws.wgsl";
import type { Node } from "../graph.js";
import { tensor, type Tensor } from "../tensor.js";
import type { Op } from "./op.js";
import { drawn, latentGradient, latentKernel, NOISE } from "./reparameterize.js";

/**
 * Draws z [B K, Z], K rows an example, from heads [B, 2, Z] (mean, then log variance), with the outputs of
 * `reparameterize` and `ratio` [B K, Z]: log q(z|x) - log p(z) of each draw, in nats, for the prior N(0, 1); with
 * `standard` false log q(z|x) alone.
 */
export function draws(heads: Tensor, copies: number, standard: boolean): Node {
  const { z, kl, clamped } = drawn(heads, copies);
  return {
    op: "draws",
    inputs: { heads },
    outputs: { z, kl, clamped, ratio: tensor("ratio", "ring", z.shape) },
    attributes: { ...(copies > 1 ? { copies } : {}), ...(standard ? {} : { standard }) },
    knobs: { noise: NOISE },
  };
}

function kernel(node: Node) {
  const made = latentKernel(drawsShader, node);
  const { outputs, attributes } = node;
  const constants = {
    ...made.constants,
    KEEP_RATIO: outputs.ratio ? 1 : 0,
    STANDARD: attributes.standard === false ? 0 : 1,
  };
  return { ...made, constants };
}

export const drawsOps: readonly Op[] = [
  { name: "draws", optional: ["kl", "clamped", "ratio"], kernel, gradient: latentGradient },
  ...["", "_over", "_ratio", "_ratio_over"].map((of) => ({ name: `draws_grad${of}`, kernel })),
];
