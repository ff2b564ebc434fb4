// Loads the code that a model needs beside the core's: the one step before graphs are made of it that takes time.
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import type { Model } from "./parameters.js";
import { layerNodes } from "./vae.js";

/** Until it resolves no graph can be made of `model`. Rejects with DOWNLOAD_FAILED; a later call tries again. */
export async function prepare({ resolved: { encoder, decoder }, logSigma }: Model): Promise<void> {
  // They all come together: what has one has all.
  if (layerNodes.reshape || (!logSigma && [...encoder, ...decoder].every(({ type }) => type in layerNodes))) return;
  const file = await loaded("the code that this model needs", "layers.js", layersFile);
  file.install();
}
