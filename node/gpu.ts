// WebGPU in Node: npm's `webgpu`, Chrome's implementation (Dawn) as a native module. Its driver is chosen by
// environment variables that must be set before the process starts: see start.mjs.
import { create, globals } from "webgpu";
import { easePolling } from "./polling.js";

// If a GPU object is garbage-collected, its instance is freed and the process crashes, so each is kept for good.
const opened = new Map<string, GPU>();

/**
 * This machine's GPU. Throws if there is no adapter. The "null" backend needs no driver: it validates everything, at
 * the default limits, and computes nothing.
 */
export async function openGpu({ backend }: { backend?: "null" } = {}): Promise<GPU> {
  const options = backend ? [`backend=${backend}`] : [];
  let gpu = opened.get(options.join());
  if (!gpu) {
    // GPUBufferUsage and the like, which are globals on a page.
    Object.assign(globalThis, globals);
    gpu = create(options);
    opened.set(options.join(), gpu);
  }
  const adapter = await gpu.requestAdapter();
  // A real GPU leaves the cores free for polling, which notices its results sooner.
  if (adapter && isSoftware(adapter)) easePolling();
  if (adapter) return gpu;
  const driver = process.env["WEBVAE_DRIVER"];
  throw new Error(
    driver
      ? `WebGPU found no adapter on ${driver}. WEBVAE_ADAPTER=swiftshader selects the software adapter.`
      : "WebGPU found no adapter. Start the program with node/start.mjs, which finds a Vulkan driver.",
  );
}

/** For a log: "google swiftshader (swiftshader-device-subzero, SwiftShader driver 5.0.0)". */
export function adapterName(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  const tidy = (parts: string[]) => parts.map((part) => part.replace(/-+$/, "").trim()).filter(Boolean);
  const name = tidy([vendor, architecture]).join(" ");
  const details = tidy([device, description]).join(", ");
  if (!name) return details || "an adapter without a name";
  return details ? `${name} (${details})` : name;
}

/** Whether the adapter is a CPU: SwiftShader, Mesa's lavapipe (llvmpipe), or Windows' WARP. */
export function isSoftware(adapter: GPUAdapter): boolean {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const text = [vendor, architecture, device, description].join(" ");
  return isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test(text);
}
