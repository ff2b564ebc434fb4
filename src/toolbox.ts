// Code that only some models or adapters need. In the bundle it is a separate file, layers.js, loaded by
// layers_file.ts.
import { furtherLayers } from "./layer_nodes.js";
import * as further from "./ops/further.js";
import { addFurtherOps } from "./ops/index.js";
import { layerNodes } from "./vae.js";

/** The build of the library that this file belongs to. */
export const release = typeof RELEASE === "string" ? RELEASE : "";

export { fitting } from "./fitting.js";

/** The WGSL text of shaders whose reflection is in the core. */
export { texts } from "./layer_texts.js";

/** Registers these ops and layers with the core. Call only after checking that `release` is the core's. */
export function install(): void {
  addFurtherOps(further);
  Object.assign(layerNodes, furtherLayers);
}
