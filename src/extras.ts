// What the core uses, besides ops and types, of the code that only some models, runs or adapters need: toolbox.ts adds it
// once it is loaded, before which nothing that needs it gets as far as here.
import type { choiceAt } from "./choices.js";
import type { checkSmallestBatch, smallestBatch } from "./smallest_batch.js";
import type { placeHalf, storedTensors } from "./stored_tensors.js";

export interface Extras {
  readonly choiceAt: typeof choiceAt;
  readonly smallestBatch: typeof smallestBatch;
  readonly checkSmallestBatch: typeof checkSmallestBatch;
  readonly storedTensors: typeof storedTensors;
  readonly placeHalf: typeof placeHalf;
}

export let extras: Extras | undefined;

export function addExtras(loaded: Extras): void {
  extras = loaded;
}
