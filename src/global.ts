// The global `webvae` on a page that loads dist/webvae.global.js with a script tag: the core, including the data sets
// and the canvas. A single file, including everything that is otherwise loaded on demand.
export * from "./index.js";
export { describe } from "./describe.js";
export * as datasets from "./datasets.js";
export * as canvas from "./canvas.js";
