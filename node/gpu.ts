// WebGPU in Node. Finds a Vulkan driver (vulkan.mjs) and selects it in the running process as far as that can be done:
// the variables that name drivers are set while Dawn looks for adapters, and a loader that the dynamic linker would not
// find is loaded beforehand.
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { WebvaeError } from "../src/errors.js";
import { loadDawn } from "./dawn.js";
import { load } from "./load.mjs";
import { GPU_DRIVERS, notInWorker, startAnew, whyNoAdapter } from "./missing.js";
import { easePolling } from "./polling.js";
import { vulkanEnvironment } from "./vulkan.mjs";

/** What openGpu takes. */
export interface OpenOptions {
  /** What WEBVAE_ADAPTER can be (vulkan.mjs), in its place. */
  readonly adapter?: string | undefined;
  /** Needs no driver: validates all that it is given, at the default limits, and computes nothing. */
  readonly backend?: "null";
}

// If a GPU object is garbage-collected, its instance is freed and the process crashes, so each is kept for good.
const held: GPU[] = [];
const opened = new Map<string, Promise<GPU>>();
/** The last search for adapters: the next one waits, since each sets variables of the process. */
let searching: Promise<unknown> = Promise.resolve();

/**
 * The GPU of this machine, the same object for the same options. It has an adapter, or this rejects: with NO_WEBGPU where
 * npm's `webgpu` is missing or does not load, with NO_ADAPTER where there is no driver, or not the one asked for.
 */
export function openGpu({ backend, adapter }: OpenOptions = {}): Promise<GPU> {
  const wanted = adapter ?? (process.env["WEBVAE_ADAPTER"] || "default");
  const key = `${backend} ${wanted}`;
  const known = opened.get(key);
  if (known) return known;
  const gpu = backend ? dawn([`backend=${backend}`]) : findGpu(adapter, wanted);
  opened.set(key, gpu);
  // What is missing may be there at the next call.
  gpu.catch(() => opened.delete(key));
  return gpu;
}

async function dawn(options: string[]): Promise<GPU> {
  const { create, globals } = await loadDawn();
  // GPUShaderStage, GPUBufferUsage and the like, which a page has as globals: the library reads them, and so do programs.
  for (const [name, value] of Object.entries(globals) as [string, unknown][]) {
    if (!/^GPU(BufferUsage|ColorWrite|MapMode|ShaderStage|TextureUsage)$/.test(name) || name in globalThis) continue;
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    const gpu = create(options);
    held.push(gpu);
    return gpu;
  } catch (cause) {
    throw new WebvaeError("NO_WEBGPU", `npm's webgpu failed to start: ${String(cause)}`, { cause });
  }
}

async function findGpu(asked: string | undefined, wanted: string): Promise<GPU> {
  const gpu = await dawn([]);
  const vulkan = await vulkanEnvironment({ adapter: asked }).catch((error) =>
    notFound(error, wanted === "gpu" ? `. ${GPU_DRIVERS}` : ""),
  );
  if (vulkan.drivers) notFound(startAnew(vulkan.drivers, vulkan.description));
  const variables = Object.fromEntries(Object.entries(vulkan.env).filter(([name]) => name !== "LD_LIBRARY_PATH"));
  const search = searching.then(() => {
    if (vulkan.loader) load(join(vulkan.loader, "libvulkan.so.1"));
    return withVariables(variables, () => gpu.requestAdapter());
  });
  searching = search.catch(() => {});
  const adapter = await search.catch(notFound);
  if (adapter && fits(adapter, wanted)) {
    // A real GPU leaves the cores free for polling, which notices its results sooner.
    if (isSoftware(adapter)) easePolling();
    return gpu;
  }
  const heard = isMainThread || (await withVariables(variables, () => reach(variables)));
  if (!heard) notFound(notInWorker(Object.keys(variables)));
  if (adapter) notFound(`WebGPU found ${adapterName(adapter)}, and not what was asked for: ${wanted}`);
  return notFound(whyNoAdapter(vulkan, process.platform, process.arch));
}

function fits(adapter: GPUAdapter, wanted: string): boolean {
  if (wanted === "gpu") return !isSoftware(adapter);
  return wanted !== "swiftshader" || isSoftware(adapter);
}

/** Throws NO_ADAPTER, with what is wrong in words or by an error. */
function notFound(why: unknown, advice = ""): never {
  if (!(why instanceof Error)) throw new WebvaeError("NO_ADAPTER", String(why));
  throw new WebvaeError("NO_ADAPTER", why.message + advice, { cause: why });
}

/** Runs `use` with these variables in the environment, and then puts it back: it is also that of child processes. */
async function withVariables<T>(variables: Record<string, string>, use: () => T | Promise<T>): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await use();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Whether libraries see what was set in process.env: in a worker thread that is a copy, unless it shares it. */
function reach(variables: Record<string, string>): boolean {
  const { environmentVariables } = process.report.getReport() as { environmentVariables: Record<string, string> };
  return Object.entries(variables).every(([name, value]) => environmentVariables[name] === value);
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
