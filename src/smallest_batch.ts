// The smallest batch that a model can train on: a layer that normalises by batch statistics needs more than one value
// per channel, since a single value is its own mean and always becomes 0.
import { WebvaeError } from "./errors.js";
import { extras } from "./extras.js";
import type { ResolvedLayer } from "./layers/definition.js";
import type { Model } from "./parameters.js";

/** The least number of rows in a training batch of the model, and the layer that needs more than 1, if any. */
export function smallestBatch({ resolved: { encoder, decoder } }: Model): { rows: number; layer?: ResolvedLayer } {
  const layer = extras?.normalisesAlone([...encoder, ...decoder]);
  return layer ? { rows: 2, layer } : { rows: 1 };
}

/** Throws INVALID_OPTION if the model cannot train on such a small batch. */
export function checkSmallestBatch(batchSize: number, model: Model): void {
  const { rows, layer } = smallestBatch(model);
  if (!layer || batchSize >= rows) return;
  throw new WebvaeError(
    "INVALID_OPTION",
    `batchSize ${batchSize}: ${layer.path} (batch_norm) would normalise ${batchSize} value of each of its ` +
      `${layer.input.at(-1)} channels, which always gives 0; ` +
      `use a batchSize of at least ${rows}, or groupNorm`,
  );
}
