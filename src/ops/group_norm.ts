// Group normalization, which with one group is layer normalization (shaders/group_norm.wgsl).
import groupNormShader from "../../shaders/group_norm.wgsl";
import type { Node } from "../graph.js";
import { tensor, type Activation, type Tensor } from "../tensor.js";
import { layoutOf, momentsNode, normNode, normOps, type NormTensors } from "./batch_norm.js";
import type { Op } from "./op.js";

/**
 * y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta) with the statistics of each example and group of
 * channels, for x [B, D] or [B, H, W, C]; the last node makes y. `groups` must divide the channels evenly.
 */
export function groupNorm(
  name: string,
  x: Tensor,
  affine: NormTensors,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
  activation: Activation = "none",
): Node[] {
  const [batch = 1] = x.shape;
  const channels = x.shape.at(-1) ?? 1;
  if (channels % groups !== 0) throw new Error(`group_norm ${name}: ${groups} groups of ${channels} channels`);
  const moments = momentsNode("group_norm", name, x, { groups });
  const group_mean = tensor(`${name}.mean`, "activation", [batch, channels]);
  const group_variance = tensor(`${name}.variance`, "activation", [batch, channels]);
  const combine: Node = {
    op: "group_norm_combine",
    inputs: { all_parts: moments.outputs.parts },
    outputs: { group_mean, group_variance },
    attributes: { rows: layoutOf(x, groups).rows, groups },
  };
  const statistics = { mean: group_mean, variance: group_variance };
  return [moments, combine, normNode("group_norm", name, x, affine, statistics, { epsilon, groups, activation })];
}

export const groupNormOps: readonly Op[] = normOps("group_norm", groupNormShader);
