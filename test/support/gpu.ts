// Devices for tests. Without an adapter tests fail, because a run that computed nothing must not pass.
import { openGpu } from "../../node/gpu.js";
import { withCopies } from "./copying.js";

/** Errors on a device outside error scopes, for the next withErrorScopes() to report. */
const troublesOf = new WeakMap<GPUDevice, string[]>();
const devices = new Map<string, Promise<GPUDevice>>();

/** This test file's device on the real adapter, with every feature and limit that we can use. */
export function testDevice(): Promise<GPUDevice> {
  return opened("gpu", {});
}

/** This test file's device that validates at the default limits and computes nothing. */
export function nullDevice(): Promise<GPUDevice> {
  return opened("null", { backend: "null" });
}

function opened(key: string, options: Parameters<typeof openGpu>[0]): Promise<GPUDevice> {
  const known = devices.get(key);
  if (known) return known;
  const device = open(options);
  devices.set(key, device);
  return device;
}

const features = ["timestamp-query", "subgroups", "shader-f16"] as const;

/** A separate device, for a test that destroys it. */
export async function open(options: Parameters<typeof openGpu>[0] = {}): Promise<GPUDevice> {
  const adapter = await (await openGpu(options)).requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter");
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limits(adapter.limits),
  });
  watch(device);
  return options?.backend === "null" ? withCopies(device) : device;
}

function limits(supported: GPUSupportedLimits): Record<string, number> {
  const all: Record<string, number> = {};
  // The limits are getters on the prototype, which `in` finds but Object.entries does not.
  for (const name in supported) {
    const value: unknown = Reflect.get(supported, name);
    if (typeof value === "number") all[name] = value;
  }
  return all;
}

function watch(device: GPUDevice): string[] {
  const known = troublesOf.get(device);
  if (known) return known;
  const troubles: string[] = [];
  troublesOf.set(device, troubles);
  device.addEventListener("uncapturederror", (event) => {
    troubles.push(`outside error scopes: ${event.error.message}`);
  });
  void device.lost.then(({ reason, message }) => troubles.push(`device lost (${reason}): ${message}`));
  return troubles;
}

const filters = ["validation", "out-of-memory", "internal"] as const;

/** Runs the function and throws if WebGPU reports anything during it, or has since the last call. */
export async function withErrorScopes<T>(device: GPUDevice, run: () => T | Promise<T>): Promise<T> {
  const troubles = watch(device);
  for (const filter of filters) device.pushErrorScope(filter);
  const outcome = await attempt(run);
  for (const filter of filters.toReversed()) {
    // A lost device rejects or resolves to null; its loss is reported below.
    const error = await device.popErrorScope().catch(() => null);
    if (error) troubles.push(`${filter}: ${error.message}`);
  }
  // Loss and uncaptured errors may be delivered in later turns of the event loop.
  await new Promise((resolve) => setTimeout(resolve));
  if (troubles.length > 0) {
    // WebGPU's report is the cause of what the function threw, not vice versa.
    const message = troubles.splice(0).join("\n");
    throw new Error(message, "error" in outcome ? { cause: outcome.error } : undefined);
  }
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

async function attempt<T>(run: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}
