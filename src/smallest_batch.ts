// The smallest batch that a model can train on: a layer that normalises by batch statistics needs more than one value
// per channel, since a single value is its own mean and always becomes 0.
import { product } from "./checks.js";
import type { ResolvedLayer } from "./layers/definition.js";
import { invalidOption } from "./options.js";

/** What of a model says so. */
interface Layered {
  readonly resolved: { readonly encoder: readonly ResolvedLayer[]; readonly decoder: readonly ResolvedLayer[] };
}

/** The least number of rows in a training batch of the model, and the layer that needs more than 1, if any. */
export function smallestBatch({ resolved: { encoder, decoder } }: Layered): { rows: number; layer?: ResolvedLayer } {
  const alone = (layers: readonly ResolvedLayer[]): ResolvedLayer | undefined => {
    for (const layer of layers) {
      if (layer.type === "batch_norm" && product(layer.input.slice(0, -1)) === 1) return layer;
      const within = layer.layers && alone(layer.layers);
      if (within) return within;
    }
    return undefined;
  };
  const layer = alone([...encoder, ...decoder]);
  return layer ? { rows: 2, layer } : { rows: 1 };
}

/** Throws INVALID_OPTION if the model cannot train on such a small batch. */
export function checkSmallestBatch(batchSize: number, model: Layered): void {
  const { rows, layer } = smallestBatch(model);
  if (!layer || batchSize >= rows) return;
  throw invalidOption(
    `batchSize ${batchSize}: ${layer.path} (batch_norm) would normalise ${batchSize} value of each of its ` +
      `${layer.input.at(-1)} channels, which always gives 0; ` +
      `use a batchSize of at least ${rows}, or groupNorm`,
  );
}
