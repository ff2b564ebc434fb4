// WebGPU in Node: npm's `webgpu`, which is Chrome's implementation (Dawn) as a native module. The driver it runs on is
// chosen by environment variables that must be set before the process starts: see start.mjs.
import { create, globals } from "webgpu";
import { easePolling } from "./polling.js";

// A GPU object that is collected takes its instance with it and crashes the process, so each lives as long as that.
const opened = new Map<string, GPU>();

/**
 * The GPU of this machine; there is an adapter, or this throws. The "null" backend needs no driver: it validates all
 * that is given to it, at the default limits, and computes nothing.
 */
export async function openGpu({ backend }: { backend?: "null" } = {}): Promise<GPU> {
  const options = backend ? [`backend=${backend}`] : [];
  let gpu = opened.get(options.join());
  if (!gpu) {
    // GPUBufferUsage and the like, which a page has as globals.
    Object.assign(globalThis, globals);
    gpu = create(options);
    opened.set(options.join(), gpu);
  }
  const adapter = await gpu.requestAdapter();
  // A GPU of its own leaves a core to the polls, and is answered sooner by them.
  if (adapter && isSoftware(adapter)) easePolling();
  if (adapter) return gpu;
  const driver = process.env["WEBVAE_DRIVER"];
  throw new Error(
    driver
      ? `WebGPU found no adapter on ${driver}. WEBVAE_ADAPTER=swiftshader selects the software adapter.`
      : "WebGPU found no adapter. Start through node/start.mjs, which finds a Vulkan driver.",
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
