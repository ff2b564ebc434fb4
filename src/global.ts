// What a page that loads dist/webvae.global.js with a script tag has as `webvae`: the core, and inside it the data sets
// and what draws.
// One file, with all that is loaded on demand elsewhere.
export * from "./index.js";
export { describe } from "./describe.js";
export * as datasets from "./datasets.js";
export * as canvas from "./canvas.js";
