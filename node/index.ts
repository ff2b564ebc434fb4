// The entry webvae/node: a GPU for VAE.create in Node.
import { quoted } from "../src/checks.js";
import { invalidOption, optionsOf } from "../src/options.js";
import { meant } from "../src/words.js";
import { openGpu } from "./gpu.js";
import { adapterChoice, ADAPTERS, isAdapter } from "./vulkan.mjs";

/** Which GPU nodeGpu shall find. */
export interface NodeGpuOptions {
  /**
   * `"gpu"`: a real GPU or none. `"swiftshader"`: the software driver, on Linux. The absolute path of a Vulkan driver's
   * ICD file: that driver. `"default"`: the drivers that VK_DRIVER_FILES names, or else a real GPU, or else SwiftShader.
   * If it is absent the variable WEBVAE_ADAPTER counts, which takes the same, and then `"default"`.
   */
  readonly adapter?: string;
}

/**
 * WebGPU in Node, by npm's `webgpu`, for the option `gpu` of VAE.create, VAE.load and isSupported:
 *
 * ```js
 * const vae = await VAE.create(spec, { gpu: await nodeGpu() });
 * ```
 *
 * On Linux it finds a Vulkan driver by itself: a GPU's, or the SwiftShader of an installed Chrome or of npm's
 * `@sparticuz/chromium`. It has an adapter, and is kept as long as the process lives; a second call returns the same
 * object. Sets the globals GPUBufferUsage, GPUMapMode, GPUShaderStage and other flags of WebGPU, unless they are there.
 *
 * Rejects with INVALID_OPTION; with NO_WEBGPU, saying what to install, if `webgpu` is missing or does not run here, or
 * Node is too old; with NO_ADAPTER, likewise, if there is no driver, or not the one asked for.
 */
export async function nodeGpu(options: NodeGpuOptions = {}): Promise<GPU> {
  const { adapter } = optionsOf(options, "nodeGpu", ["adapter"]);
  check("nodeGpu: adapter", adapter);
  check("WEBVAE_ADAPTER", process.env["WEBVAE_ADAPTER"] || undefined);
  return openGpu({ adapter });
}

function check(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && isAdapter(value))) return;
  throw invalidOption(`${name} must be ${adapterChoice}, not ${quoted(value)}${meant(value, ADAPTERS)}`);
}
