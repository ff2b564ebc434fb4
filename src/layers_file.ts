// Loads the code that only some models or adapters need: toolbox.ts, which is layers.js in the bundle.
import { reimporting } from "./reimport.js";

type LayersFile = typeof import("./toolbox.js");

const importLayers = reimporting(() => import("./toolbox.js"));
let loading: Promise<LayersFile> | undefined;

/**
 * The file from this release. Concurrent calls share one import; after a failure, the next call tries again. Rejects
 * like import(), or with an Error if the file belongs to another release.
 */
export const layersFile = (): Promise<LayersFile> => (loading ??= load().finally(() => (loading = undefined)));

async function load(): Promise<LayersFile> {
  const file = await importLayers();
  // A page may stay open while another release is deployed.
  if (file.release !== (typeof RELEASE === "string" ? RELEASE : "")) throw new Error("it belongs to another release");
  return file;
}
