// Loads the code that a model needs beside the core's: the one step before graphs are made of it that takes time.
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import type { Model } from "./parameters.js";
import { resolveSpec, type ModelSpec, type ResolvedSpec } from "./spec.js";
import { layerNodes } from "./vae.js";
import { within } from "./within.js";

/** Milliseconds that advice is waited for. */
const ADVICE_MS = 2000;

/** The spec resolved. Rejects with INVALID_SPEC, which says what would fit where the code that seeks it can be loaded. */
export async function resolved(spec: ModelSpec): Promise<ResolvedSpec> {
  try {
    return resolveSpec(spec);
  } catch (fault) {
    const file = await within(ADVICE_MS, layersFile);
    if (!file) throw fault;
    return resolveSpec(spec, file.fitting);
  }
}

/** Until it resolves no graph can be made of `model`. Rejects with DOWNLOAD_FAILED; a later call tries again. */
export async function prepare({ resolved: { encoder, decoder }, logSigma }: Model): Promise<void> {
  // They all come together: what has one has all.
  if (layerNodes.reshape || (!logSigma && [...encoder, ...decoder].every(({ type }) => type in layerNodes))) return;
  const file = await loaded("the code that this model needs", "layers.js", layersFile);
  file.install();
}
