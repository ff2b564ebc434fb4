// The WGSL that the bundle puts in layers.js instead of the core (build/wgsl_bundle.mjs). Empty here, since outside the
// bundle every shader has its own text.
export const texts: readonly string[] = [];
