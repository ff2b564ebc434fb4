// Loads the code that a model needs besides the core, the only asynchronous step before graphs are made of it.
import { advised } from "./advice.js";
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import type { Model } from "./parameters.js";
import { resolveSpec, type ModelSpec, type ResolvedSpec } from "./spec.js";
import { layerNodes } from "./vae.js";

/**
 * The resolved spec. Rejects with INVALID_SPEC, which suggests a fitting change if the code to find one can be loaded.
 */
export async function resolved(spec: ModelSpec): Promise<ResolvedSpec> {
  try {
    return resolveSpec(spec);
  } catch {
    return (await advised(({ fitting }) => resolveSpec(spec, fitting))) ?? resolveSpec(spec);
  }
}

/** Must resolve before graphs of `model` are made. Rejects with DOWNLOAD_FAILED; a later call tries again. */
export async function prepare({ resolved: { encoder, decoder }, logSigma }: Model): Promise<void> {
  // They are all loaded together, so one stands for all.
  if (layerNodes.reshape || (!logSigma && [...encoder, ...decoder].every(({ type }) => type in layerNodes))) return;
  const file = await loaded("the code that this model needs", "layers.js", layersFile);
  file.install();
}
