// The WGSL that the bundle has in layers.js, apart from the core's (build/wgsl_bundle.mjs): here none, since every shader
// has its own.
export const texts: readonly string[] = [];
