// Code that only some models or adapters need. In the bundle it is a separate file, layers.js, loaded by
// layers_file.ts.
import { choiceAt } from "./choices.js";
import { furtherConditions } from "./conditions/further.js";
import { conditionTypes } from "./conditions/index.js";
import { addExtras } from "./extras.js";
import { layerTypes } from "./layers/index.js";
import { furtherLayers } from "./layers/further.js";
import { specWords } from "./layers/words.js";
import { likelihoodTypes } from "./likelihoods/index.js";
import { furtherLikelihoods } from "./likelihoods/further.js";
import * as further from "./ops/further.js";
import { addFurtherOps } from "./ops/index.js";
import { furtherPriors } from "./priors/further.js";
import { priorTypes } from "./priors/index.js";
import { checkSmallestBatch, smallestBatch } from "./smallest_batch.js";
import { placeHalf, storedTensors } from "./stored_tensors.js";
import { addWords } from "./words.js";

/** The build of the library that this file belongs to. */
export const release = typeof RELEASE === "string" ? RELEASE : "";

/** What finds advice for error messages. */
export { firstNonFinite } from "./debug.js";
export { remedy, unscaled } from "./diagnosis.js";
export { mismatch } from "./fitting.js";

/** What estimates log-likelihoods. */
export { bounded, mergedBounds } from "./log_likelihood.js";

/** What the options of a run may be as JSON. */
export { objectiveOf } from "./objectives/index.js";
export { scheduleFunction } from "./schedules.js";

/** What begins a run in half precision. */
export { halveWeights } from "./half_weights.js";

/** What measures products, which few pages need: the choices are kept. */
export { measure } from "./tuning_measure.js";

/** The WGSL text of shaders whose reflection is in the core. */
export { texts } from "./layer_texts.js";

/** Registers these ops, types and words with the core. Call only after checking that `release` is the core's. */
export function install(): void {
  addFurtherOps(further);
  Object.assign(layerTypes, furtherLayers);
  Object.assign(likelihoodTypes, furtherLikelihoods);
  Object.assign(priorTypes, furtherPriors);
  Object.assign(conditionTypes, furtherConditions);
  addExtras({ choiceAt, checkSmallestBatch, placeHalf, smallestBatch, storedTensors });
  addWords(specWords);
}
