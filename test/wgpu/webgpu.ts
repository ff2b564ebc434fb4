// Replaces npm's `webgpu` in node/gpu.ts with Deno's own WebGPU.

/** Deno already has GPUBufferUsage and the like as globals. */
export const globals = {};

export function create(options: readonly string[]): GPU {
  if (options.length > 0) throw new Error(`wgpu does not support Dawn's ${options.join()}`);
  return navigator.gpu;
}
