// The layers that only some models have, which are loaded when a spec names one.
import { invalid, show } from "../checks.js";
import { add } from "../ops/add.js";
import { dropout as dropoutNode } from "../ops/dropout.js";
import { reshapeCopy } from "../ops/reshape.js";
import { conv2d, convTranspose2d } from "./conv2d.js";
import type { LayerType, LayerTypes, ResolvedLayer } from "./definition.js";
import { layersAt, resolveLayers } from "./index.js";
import type { DropoutLayer, ResidualLayer } from "./json.js";
import { activation, share } from "./keys.js";
import { batchNorm, groupNorm } from "./norms.js";
import { avgPool2d, maxPool2d, upsample2d } from "./pool2d.js";
import { reshapeType } from "./reshape.js";

const dropout: LayerType<DropoutLayer, ResolvedLayer & { readonly rate: number }> = {
  needs: { rate: share },
  resolve: ({ type, rate }, { input }) => ({ type, rate, output: input }),
  build(g, { rate }, x, name) {
    if (!g.training || rate === 0) return x;
    return g.output(dropoutNode(name, x, rate, g.dropouts++), "y");
  },
};

const residual: LayerType<ResidualLayer, ResolvedLayer & Required<Pick<ResolvedLayer, "layers">>> = {
  needs: { layers: (value, place, depth) => layersAt(value, place, depth + 1) },
  may: { activation },
  resolve({ type, layers: given }, { path, place, input }) {
    const layers = resolveLayers(given, path, input);
    const end = layers.at(-1)?.output ?? input;
    if (layers.length === 0) invalid(`${place}: needs at least one layer`);
    if (String(end) !== String(input)) {
      invalid(`${place}: its layers end in shape ${show(end)}, which cannot be added to its input ${show(input)}`);
    }
    return { type, layers, output: input };
  },
  build: (g, { layers }, x, name, activation) => g.output(add(name, x, g.layers(layers, x), activation), "y"),
};

export const furtherLayers: LayerTypes = {
  conv2d,
  conv_transpose2d: convTranspose2d,
  max_pool2d: maxPool2d,
  avg_pool2d: avgPool2d,
  upsample2d,
  batch_norm: batchNorm,
  group_norm: groupNorm,
  dropout,
  residual,
  // What the core has of it, and its nodes.
  reshape: {
    ...reshapeType,
    build: (g, { output }, x, name) => g.output(reshapeCopy(name, x, [x.shape[0] ?? 1, ...output]), "y"),
  },
};
