// Loads what only some models or adapters need (toolbox.ts), which in the bundle is the file layers.js.
import { reimporting } from "./reimport.js";

type LayersFile = typeof import("./toolbox.js");

const importLayers = reimporting(() => import("./toolbox.js"));
let loading: Promise<LayersFile> | undefined;

/**
 * The file, of this release. One import for all that wait for it: where it fails, all have failed before a later call
 * tries again. Rejects with what import() rejects with, or an Error.
 */
export const layersFile = (): Promise<LayersFile> => (loading ??= load().finally(() => (loading = undefined)));

async function load(): Promise<LayersFile> {
  const file = await importLayers();
  // A page may stay open while another release is put in place.
  if (file.release !== (typeof RELEASE === "string" ? RELEASE : "")) throw new Error("it is of another release");
  return file;
}
