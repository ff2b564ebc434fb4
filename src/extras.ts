// What the core uses, besides ops and types, of the code that only some models, runs or adapters need: toolbox.ts adds it
// once it is loaded, before which nothing that needs it gets as far as here.
import type { choiceAt } from "./choices.js";
import type { Graph } from "./graph.js";
import type { ResolvedLayer } from "./layers/definition.js";
import type { Kernel } from "./ops/op.js";

export interface Extras {
  readonly choiceAt: typeof choiceAt;
  /** The layer, if any, that cannot train on a batch of 1, since it would normalise a single value by itself. */
  readonly normalisesAlone: (layers: readonly ResolvedLayer[]) => ResolvedLayer | undefined;
  /** The names of the tensors that all kernels hold as lib/stored.wgsl says. */
  readonly storedTensors: (graph: Graph, kernels: readonly Kernel[]) => Set<string>;
}

export let extras: Extras | undefined;

export function addExtras(loaded: Extras): void {
  extras = loaded;
}
