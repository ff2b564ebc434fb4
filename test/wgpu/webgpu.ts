// In place of npm's `webgpu` for node/gpu.ts: Deno's own WebGPU.

/** Deno has GPUBufferUsage and the like as globals already. */
export const globals = {};

export function create(options: readonly string[]): GPU {
  if (options.length > 0) throw new Error(`wgpu does not know Dawn's ${options.join()}`);
  return navigator.gpu;
}
