// What only some models or adapters need: in the bundle a file of its own, layers.js, that layers_file.ts loads.
import { furtherLayers } from "./layer_nodes.js";
import * as further from "./ops/further.js";
import { addFurtherOps } from "./ops/index.js";
import { layerNodes } from "./vae.js";

/** Which build of the library this is of. */
export const release = typeof RELEASE === "string" ? RELEASE : "";

/** What makes a spec fit whose shapes don't. */
export { fitting } from "./fitting.js";

/** Parts of the WGSL that the core has only the reflection of. */
export { texts } from "./layer_texts.js";

/** Makes its ops and its layers known to the core. To be called once `release` is known to be the core's. */
export function install(): void {
  addFurtherOps(further);
  Object.assign(layerNodes, furtherLayers);
}
