// A GPUDevice and what all VAEs on it share: pipelines, the count of buffers, and whether it is lost.
import { abortable } from "./abort.js";
import { WebvaeError } from "./errors.js";
import { Life } from "./life.js";
import { loaded } from "./loaded.js";
import { once } from "./once.js";
import { optionsOf } from "./options.js";
import { stepLayout, tensorLayout } from "./shader.js";
import type { ShaderSource } from "./shader_source.js";

/** How an adapter is found. */
export interface AdapterOptions {
  /**
   * The entry point to WebGPU. Default: navigator.gpu. The library keeps a reference, because collecting it crashes
   * Node.
   */
  readonly gpu?: GPU;
  readonly powerPreference?: "low-power" | "high-performance";
  /**
   * Milliseconds to wait for WebGPU (an adapter, a pipeline, the end of a submit) before TIMEOUT. Default 300,000,
   * since a step of a large model on a software adapter may take a minute; Infinity waits forever.
   */
  readonly timeoutMs?: number;
}

export interface DeviceOptions extends AdapterOptions {
  /** The page's own device. The library never destroys it. */
  readonly device?: GPUDevice;
  /** Aborts opening a device, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export const PATIENCE_MS = 300_000;
/** A lost device rejects calls before its `lost` resolves: 6 ms, or over 100 on a busy machine. */
const LOST_WITHIN_MS = 900;

const useful: readonly GPUFeatureName[] = ["timestamp-query", "subgroups", "shader-f16"];
const known = new WeakMap<GPUDevice, SharedDevice>();
/** Keeps GPU objects from being garbage-collected, because collecting one of Dawn's crashes the process. */
const held = new Set<GPU>();

export class SharedDevice {
  readonly life = new Life();
  readonly buffers = new Set<GPUBuffer>();
  readonly stepLayout: GPUBindGroupLayout;
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #modules = new Map<string, GPUShaderModule>();
  #users = 0;

  constructor(
    readonly gpu: GPUDevice,
    readonly adapterName: string,
    readonly software: boolean,
    private readonly owned: boolean,
  ) {
    try {
      this.stepLayout = stepLayout(gpu);
    } catch (cause) {
      throw this.failed("opening the device", cause);
    }
    void gpu.lost.then(({ message, reason }) => {
      this.life.end(
        new WebvaeError("DEVICE_LOST", `the GPU device was lost: ${message || reason || "unknown reason"}`),
      );
    });
    known.set(gpu, this);
  }

  enter(): this {
    this.#users++;
    return this;
  }

  /** Destroys the device after its last user is gone, if the library created it. */
  leave(): void {
    if (--this.#users === 0 && this.owned) this.gpu.destroy();
  }

  failed(what: string, cause: unknown): WebvaeError {
    return new WebvaeError("GPU_FAILED", `${what} failed on ${this.adapterName}: ${String(cause)}`, { cause });
  }

  /** Waits a moment after a failure: DEVICE_LOST if that was the cause, else undefined. */
  async lostSoon(): Promise<WebvaeError | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await this.life.wait(new Promise((done) => (timer = setTimeout(done, LOST_WITHIN_MS))), "").catch(() => {});
    clearTimeout(timer);
    return this.life.ended;
  }

  pipeline(
    shader: ShaderSource,
    entryPoint: string,
    constants: Readonly<Record<string, number>>,
    patienceMs: number,
  ): Promise<Pipeline> {
    const key = `${shader.name} ${entryPoint} ${JSON.stringify(constants)}`;
    return once(this.#pipelines, key, () => this.#createPipeline(shader, entryPoint, constants, patienceMs));
  }

  async #createPipeline(
    shader: ShaderSource,
    entryPoint: string,
    constants: Readonly<Record<string, number>>,
    patienceMs: number,
  ): Promise<Pipeline> {
    const { name } = shader;
    const label = `${name}.${entryPoint}`;
    let code = shader.code;
    if (typeof code !== "string" && !this.#modules.has(name)) {
      code = await this.life.wait(loaded(`the WGSL of ${name}`, "layers.js", code), label, patienceMs);
    }
    this.life.throwIfEnded();
    let module: GPUShaderModule | undefined;
    try {
      // Another entry point may have made it meanwhile.
      module = this.#modules.get(name) ?? this.#module(name, code as string);
      this.#modules.set(name, module);
      const layout = tensorLayout(this.gpu, shader, entryPoint);
      const pipeline = await this.life.wait(
        this.gpu.createComputePipelineAsync({
          label,
          layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout, this.stepLayout] }),
          compute: { module, entryPoint, constants: { ...constants } },
        }),
        `compiling ${label}`,
        patienceMs,
      );
      return { pipeline, layout };
    } catch (cause) {
      // A broken module in the cache would make all later pipelines fail.
      if (this.#modules.get(name) === module) this.#modules.delete(name);
      const lost = await this.lostSoon();
      if (lost) throw lost;
      if (cause instanceof WebvaeError) throw cause;
      const why = module && (await this.#complaints(module));
      throw new WebvaeError("INTERNAL", `${label} does not compile on ${this.adapterName}: ${why || String(cause)}`, {
        cause,
      });
    }
  }

  /** A shader module. Errors in its text do not reach the page's console; the pipeline reports them. */
  #module(label: string, code: string): GPUShaderModule {
    this.gpu.pushErrorScope("validation");
    try {
      return this.gpu.createShaderModule({ label, code });
    } finally {
      void this.gpu.popErrorScope().catch(() => {});
    }
  }

  /** The line and message of each error in a module's text. */
  async #complaints(module: GPUShaderModule): Promise<string> {
    try {
      const { messages } = await this.life.wait(module.getCompilationInfo(), "", LOST_WITHIN_MS);
      const errors = messages.filter(({ type }) => type === "error");
      return errors.map(({ lineNum, linePos, message }) => `line ${lineNum}:${linePos}: ${message}`).join("; ");
    } catch {
      return "";
    }
  }
}

/** The given device, or a new one with the adapter's full limits or, if it refuses those, with the default limits. */
export async function openShared(options: DeviceOptions): Promise<SharedDevice> {
  const { device, signal } = options;
  if (device) {
    const info = device.adapterInfo as GPUAdapterInfo | undefined;
    return (known.get(device) ?? new SharedDevice(device, describe(info), isSoftware(info), false)).enter();
  }
  signal?.throwIfAborted();
  // A device that arrives after the abort is released.
  return abortable(signal, requested(options), (late) => late.leave());
}

/** The adapter that a device would come from. Throws NO_WEBGPU, NO_ADAPTER, TIMEOUT. */
async function adapterOf({
  gpu: given,
  powerPreference = "high-performance",
  timeoutMs = PATIENCE_MS,
}: AdapterOptions) {
  const gpu = given ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    const why =
      globalThis.isSecureContext === false
        ? "the page is not secure; use https or localhost"
        : "this browser has no WebGPU: use a newer one, or enable it in the settings; in Node, use webvae/node";
    throw new WebvaeError("NO_WEBGPU", `navigator.gpu is missing: ${why}`);
  }
  held.add(gpu);
  let adapter: GPUAdapter | null;
  try {
    adapter = await new Life().wait(gpu.requestAdapter({ powerPreference }), "requestAdapter", timeoutMs);
  } catch (cause) {
    if (cause instanceof WebvaeError) throw cause;
    throw new WebvaeError("NO_ADAPTER", `WebGPU failed to look for an adapter: ${String(cause)}`, { cause });
  }
  if (adapter) return adapter;
  throw new WebvaeError(
    "NO_ADAPTER",
    "WebGPU found no adapter: the GPU or its driver is unsupported or blocked, or the browser has run out of GPU " +
      "processes. Turn on hardware acceleration, update the driver, or restart the browser",
  );
}

/** Whether a VAE can be opened here. */
export interface Support {
  readonly supported: boolean;
  /** Why not, and what to do about it; absent if supported. */
  readonly reason?: string;
  /** What `vae.adapter` would be; absent if not supported. */
  readonly adapter?: { readonly name: string; readonly software: boolean };
}

/** Whether there is WebGPU and an adapter, so that a page can decide what to show. Opens no device; never rejects. */
export async function isSupported(options: AdapterOptions = {}): Promise<Support> {
  try {
    const given = optionsOf(options, "isSupported", ["gpu", "powerPreference", "timeoutMs"]);
    const { info } = await adapterOf(given);
    return { supported: true, adapter: { name: describe(info), software: isSoftware(info) } };
  } catch (error) {
    return { supported: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function requested(options: DeviceOptions): Promise<SharedDevice> {
  const { timeoutMs = PATIENCE_MS } = options;
  const asked = new Life();
  const from = async (adapter: GPUAdapter, descriptor: GPUDeviceDescriptor): Promise<SharedDevice> => {
    const coming = adapter.requestDevice({ label: "webvae", ...descriptor });
    let device: GPUDevice;
    try {
      device = await asked.wait(coming, "requestDevice", timeoutMs);
    } catch (error) {
      void coming.then((late) => late.destroy()).catch(() => {});
      throw error;
    }
    try {
      return new SharedDevice(device, describe(adapter.info), isSoftware(adapter.info), true).enter();
    } catch (error) {
      device.destroy();
      throw error;
    }
  };
  const adapter = await adapterOf(options);
  const requiredFeatures = useful.filter((feature) => adapter.features.has(feature));
  const requiredLimits: Record<string, number> = {};
  for (const name of requestedLimits) requiredLimits[name] = adapter.limits[name];
  try {
    return await from(adapter, { requiredFeatures, requiredLimits });
  } catch (first) {
    if (first instanceof WebvaeError) throw first;
    try {
      // An adapter may be consumed by a request, even one that failed.
      return await from(await adapterOf(options), {});
    } catch (cause) {
      if (cause instanceof WebvaeError) throw cause;
      throw new WebvaeError("DEVICE_REFUSED", `the adapter refused a device: ${String(cause)}`, { cause });
    }
  }
}

/** A default device is limited to bindings of 128 MiB and 8 storage buffers even if the adapter allows more. */
const requestedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;

function describe(info: GPUAdapterInfo | undefined): string {
  if (!info) return "unknown adapter";
  const name = [info.vendor, info.architecture || info.device].filter(Boolean).join(" ");
  return info.description ? `${name || "adapter"} (${info.description})` : name || "unknown adapter";
}

function isSoftware(info: GPUAdapterInfo | undefined): boolean {
  if (!info) return false;
  const fallback = (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  return fallback || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(describe(info));
}
