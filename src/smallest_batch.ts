// How few examples a model can train on at once: what normalises by a batch's statistics needs more than one value of
// each channel, for one alone is its own mean and always becomes 0.
import { product } from "./checks.js";
import { WebvaeError } from "./errors.js";
import type { ResolvedLayer } from "./layer_shapes.js";
import type { Model } from "./parameters.js";

/** The least rows that a training batch of the model may have, and the layer that asks for more than 1. */
export function smallestBatch({ resolved: { encoder, decoder } }: Model): { rows: number; layer?: ResolvedLayer } {
  const alone = (layers: readonly ResolvedLayer[]): ResolvedLayer | undefined => {
    for (const layer of layers) {
      if (layer.type === "batch_norm" && product(layer.input.slice(0, -1)) === 1) return layer;
      const within = layer.type === "residual" && alone(layer.layers);
      if (within) return within;
    }
    return undefined;
  };
  const layer = alone([...encoder, ...decoder]);
  return layer ? { rows: 2, layer } : { rows: 1 };
}

/** Throws INVALID_OPTION where the model cannot train on so few examples at once. */
export function checkSmallestBatch(batchSize: number, model: Model): void {
  const { rows, layer } = smallestBatch(model);
  if (!layer || batchSize >= rows) return;
  throw new WebvaeError(
    "INVALID_OPTION",
    `batchSize ${batchSize}: ${layer.path} (batch_norm) has ${batchSize} value of each of its ` +
      `${layer.input.at(-1)} channels to normalise by, which would always become 0; ` +
      `a batchSize of at least ${rows}, or a groupNorm there, is possible`,
  );
}
