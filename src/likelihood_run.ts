// Estimates log p(x) of a data set on the GPU, with what log_likelihood.ts merges.
import type { Dataset } from "./data/dataset.js";
import { evaluated, type EvaluationOptions, type RunParts } from "./evaluation.js";
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import type { LogLikelihood } from "./log_likelihood.js";

/** By the bound of `samples` draws of each example, as many at once as a batch takes. */
export async function boundOn(parts: RunParts, data: Dataset, options: EvaluationOptions): Promise<LogLikelihood> {
  const loading = () => loaded("what estimates log p(x)", "layers.js", layersFile);
  const { install, bounded, mergedBounds } = await parts.device.wait("loading layers.js", loading);
  install();
  const place = "logLikelihood";
  return evaluated(
    parts,
    place,
    data,
    options,
    async (evaluation, step, own) => {
      const merged = mergedBounds(data.count);
      await evaluation.bounds(own, merged);
      return { ...merged.result, step };
    },
    bounded,
  );
}
