// Normalization over the batch and over groups of channels.
import { invalid, product, show } from "../checks.js";
import { batchNorm as batchNodes, batchNormInference, updateRunning } from "../ops/batch_norm.js";
import { groupNorm as groupNodes } from "../ops/group_norm.js";
import { tensor } from "../tensor.js";
import type { Builder, Declare, LayerType, ResolvedLayer } from "./definition.js";
import type { BatchNormLayer, GroupNormLayer } from "./json.js";
import { activation, count, epsilon, share } from "./keys.js";

interface ResolvedNorm extends ResolvedLayer {
  readonly epsilon: number;
  readonly momentum: number;
  readonly groups: number;
}

const EPSILON = 1e-5;

function declareAffine({ path, output }: ResolvedLayer, declare: Declare) {
  const channels = [output.at(-1) ?? 1];
  declare(tensor(`${path}.gamma`, "param", channels), { kind: "gain" });
  declare(tensor(`${path}.beta`, "param", channels), { kind: "offset" });
  return channels;
}

const affineOf = (g: Builder, path: string) => ({
  gamma: g.parameter(`${path}.gamma`),
  beta: g.parameter(`${path}.beta`),
});

export const batchNorm: LayerType<BatchNormLayer, ResolvedNorm> = {
  needs: {},
  may: { momentum: share, epsilon, activation },
  resolve: ({ type, epsilon = EPSILON, momentum = 0.9 }, { input }) => ({
    ...{ type, epsilon, momentum, groups: 0, output: input },
  }),
  parameters(layer, declare) {
    const channels = declareAffine(layer, declare);
    declare(tensor(`${layer.path}.running_mean`, "state", channels), { kind: "offset" });
    declare(tensor(`${layer.path}.running_variance`, "state", channels), { kind: "gain" });
  },
  build(g, layer, x, name, activation) {
    const { path } = layer;
    const tensors = {
      ...affineOf(g, path),
      runningMean: g.parameter(`${path}.running_mean`),
      runningVariance: g.parameter(`${path}.running_variance`),
    };
    if (!g.training) return g.last([batchNormInference(name, x, tensors, layer, activation)]);
    const nodes = batchNodes(name, x, tensors, layer, activation);
    g.updates.push((health) => updateRunning(nodes.at(-1)!, tensors, layer, health));
    return g.last(nodes);
  },
};

export const groupNorm: LayerType<GroupNormLayer, ResolvedNorm> = {
  needs: { groups: count },
  may: { epsilon, activation },
  resolve({ type, groups, epsilon = EPSILON }, { place, input }) {
    const channels = input.at(-1) ?? 1;
    if (channels % groups !== 0) {
      invalid(`${place}: ${channels} channels cannot be divided into ${groups} groups of equal size`);
    }
    if (groups === product(input)) {
      invalid(`${place}: ${groups} groups of ${show(input)} have one value each, which would always become 0`);
    }
    return { type, epsilon, momentum: 0, groups, output: input };
  },
  parameters: (layer, declare) => void declareAffine(layer, declare),
  build: (g, layer, x, name, activation) => g.last(groupNodes(name, x, affineOf(g, layer.path), layer, activation)),
};
