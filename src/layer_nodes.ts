// Turns the layers that only some models have into graph nodes, with one function per type.
import { add } from "./ops/add.js";
import { batchNorm, batchNormInference, updateRunning } from "./ops/batch_norm.js";
import { conv2d, conv2dTranspose } from "./ops/conv2d.js";
import { dropout } from "./ops/dropout.js";
import { groupNorm } from "./ops/group_norm.js";
import { avgPool2d, maxPool2d } from "./ops/pool.js";
import { reshapeCopy } from "./ops/reshape.js";
import { upsample2d } from "./ops/upsample.js";
import type { ResolvedConv, ResolvedLayer, ResolvedPool } from "./layer_shapes.js";
import type { Activation, Tensor } from "./tensor.js";
import type { Chain, LayerTypes } from "./vae.js";

/** Height and width of a layer's output. */
const sizeOf = ({ output }: ResolvedLayer) => output.slice(0, 2) as unknown as readonly [number, number];

const convolution =
  (make: typeof conv2d) => (chain: Chain, layer: ResolvedConv, x: Tensor, name: string, activation: Activation) => {
    const { path, stride, pad } = layer;
    const [W, b] = [chain.parameter(`${path}.weight`), chain.parameter(`${path}.bias`)];
    return chain.output(make(name, x, W, b, { stride, pad, size: sizeOf(layer) }, activation), "result");
  };

const pooling = (make: typeof maxPool2d) => (chain: Chain, layer: ResolvedPool, x: Tensor, name: string) => {
  const { window, stride, pad } = layer;
  return chain.output(make(name, x, { window, stride, pad, size: sizeOf(layer) }), "y");
};

const affineOf = (chain: Chain, path: string) => ({
  gamma: chain.parameter(`${path}.gamma`),
  beta: chain.parameter(`${path}.beta`),
});

export const furtherLayers: Required<Omit<LayerTypes, "dense">> = {
  conv2d: convolution(conv2d),
  conv_transpose2d: convolution(conv2dTranspose),
  max_pool2d: pooling(maxPool2d),
  avg_pool2d: pooling(avgPool2d),
  upsample2d: (chain, { factor, mode }, x, name) => chain.output(upsample2d(name, x, factor, mode), "y"),
  group_norm: (chain, layer, x, name, activation) =>
    chain.last(groupNorm(name, x, affineOf(chain, layer.path), layer, activation)),
  batch_norm(chain, layer, x, name, activation) {
    const { path } = layer;
    const tensors = {
      ...affineOf(chain, path),
      runningMean: chain.parameter(`${path}.running_mean`),
      runningVariance: chain.parameter(`${path}.running_variance`),
    };
    if (!chain.training) return chain.last([batchNormInference(name, x, tensors, layer, activation)]);
    const nodes = batchNorm(name, x, tensors, layer, activation);
    chain.updates.push((health) => updateRunning(nodes.at(-1)!, tensors, layer, health));
    return chain.last(nodes);
  },
  dropout(chain, { rate }, x, name) {
    if (!chain.training || rate === 0) return x;
    return chain.output(dropout(name, x, rate, chain.dropouts++), "y");
  },
  residual: (chain, { layers }, x, name, activation) =>
    chain.output(add(name, x, chain.layers(layers, x), activation), "y"),
  reshape: (chain, { output }, x, name) => chain.output(reshapeCopy(name, x, [x.shape[0] ?? 1, ...output]), "y"),
};
