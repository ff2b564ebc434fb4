// Loads the code that a model needs besides the core, the only asynchronous step before its graphs are built.
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import type { Model } from "./parameters.js";
import { resolveSpec, type ModelSpec, type ResolvedSpec } from "./spec.js";
import { layerNodes } from "./vae.js";
import { within } from "./within.js";

/** Milliseconds to wait for the code that finds advice, before the error is thrown without any. */
const ADVICE_MS = 2000;

/**
 * The resolved spec. Rejects with INVALID_SPEC, which suggests a fitting change if the code to find one can be loaded.
 */
export async function resolved(spec: ModelSpec): Promise<ResolvedSpec> {
  try {
    return resolveSpec(spec);
  } catch (fault) {
    const file = await within(ADVICE_MS, layersFile);
    if (!file) throw fault;
    return resolveSpec(spec, file.fitting);
  }
}

/** Must resolve before graphs of `model` are built. Rejects with DOWNLOAD_FAILED; a later call tries again. */
export async function prepare({ resolved: { encoder, decoder }, logSigma }: Model): Promise<void> {
  // They are all loaded together, so checking one is enough.
  if (layerNodes.reshape || (!logSigma && [...encoder, ...decoder].every(({ type }) => type in layerNodes))) return;
  const file = await loaded("the code that this model needs", "layers.js", layersFile);
  file.install();
}
