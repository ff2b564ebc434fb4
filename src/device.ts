// A GPUDevice with what the library keeps beside it: pipelines, live buffers, and whether it is lost.
import { WebvaeError } from "./errors.js";
import { loaded } from "./loaded.js";
import { once } from "./once.js";
import { stepLayout, tensorLayout } from "./shader.js";
import type { ShaderSource } from "./shader_source.js";

export interface DeviceOptions {
  /** A page's own device. It is never destroyed by the library. */
  readonly device?: GPUDevice;
  /** Where WebGPU is found. Default: navigator.gpu. */
  readonly gpu?: GPU;
  readonly powerPreference?: "low-power" | "high-performance";
}

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const useful: readonly GPUFeatureName[] = ["timestamp-query", "subgroups", "shader-f16"];
const known = new WeakMap<GPUDevice, Device>();

export class Device {
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #buffers = new Set<GPUBuffer>();
  readonly stepLayout: GPUBindGroupLayout;
  /** Why the device was lost, once it is. */
  lostBecause: string | undefined;
  /** Rejects with DEVICE_LOST when the device is lost; never resolves. */
  readonly lost: Promise<never>;

  private constructor(
    readonly gpu: GPUDevice,
    /** Vendor, architecture and description of the adapter: "google swiftshader (SwiftShader Device (LLVM 16))". */
    readonly adapterName: string,
    /** The adapter computes on the processor. */
    readonly software: boolean,
    private readonly owned: boolean,
  ) {
    this.stepLayout = stepLayout(gpu);
    this.lost = gpu.lost.then((info) => {
      this.lostBecause = info.message || info.reason || "unknown reason";
      throw this.lostError();
    });
    this.lost.catch(() => {});
  }

  /**
   * The library's view of the given device, or of a new one with the adapter's full limits.
   * Throws NO_WEBGPU, NO_ADAPTER or DEVICE_REFUSED.
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    if (options.device) {
      const seen = known.get(options.device);
      if (seen) return seen;
      const info = options.device.adapterInfo as GPUAdapterInfo | undefined;
      const device = new Device(options.device, describe(info), isSoftware(info), false);
      known.set(options.device, device);
      return device;
    }
    const gpu = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
    if (!gpu) {
      throw new WebvaeError(
        "NO_WEBGPU",
        "navigator.gpu is missing: no WebGPU in this browser, or no https or localhost; in Node give the option gpu",
      );
    }
    const { powerPreference = "high-performance" } = options;
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (!adapter) {
      throw new WebvaeError(
        "NO_ADAPTER",
        "WebGPU offers no adapter: the GPU or its driver is unsupported or blocked, or the browser has run out of GPU processes",
      );
    }
    const limits: Record<string, number> = {};
    for (const name of requestedLimits) limits[name] = adapter.limits[name];
    let device: GPUDevice;
    try {
      device = await adapter.requestDevice({
        label: "webvae",
        requiredFeatures: useful.filter((feature) => adapter.features.has(feature)),
        requiredLimits: limits,
      });
    } catch (cause) {
      throw new WebvaeError("DEVICE_REFUSED", `the adapter refused a device: ${String(cause)}`, { cause });
    }
    const opened = new Device(device, describe(adapter.info), isSoftware(adapter.info), true);
    known.set(device, opened);
    return opened;
  }

  lostError(): WebvaeError {
    return new WebvaeError("DEVICE_LOST", `the GPU device was lost: ${this.lostBecause ?? "unknown reason"}`);
  }

  assertAlive(): void {
    if (this.lostBecause !== undefined) throw this.lostError();
  }

  /**
   * For what has failed on the GPU: throws DEVICE_LOST if that is the cause, and returns otherwise. A lost device
   * rejects what was asked of it some time before it says that it is lost: 6 ms, or over 100 on a busy machine.
   */
  async throwIfLost(): Promise<void> {
    await Promise.race([this.lost, new Promise((done) => setTimeout(done, 900))]);
  }

  /** Bytes and number of the buffers that the library has on this device. */
  get allocated(): { buffers: number; bytes: number } {
    let bytes = 0;
    for (const buffer of this.#buffers) bytes += buffer.size;
    return { buffers: this.#buffers.size, bytes };
  }

  /** A buffer that `allocated` counts until `release`. Use inside `allocating`. */
  buffer(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.gpu.createBuffer({ label, size: Math.ceil(size / 16) * 16, usage });
    this.#buffers.add(buffer);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  /** Runs `allocate`; where the GPU has too little memory releases what it made and throws OUT_OF_MEMORY. */
  async allocating<T>(what: string, allocate: () => T): Promise<T> {
    this.assertAlive();
    const before = new Set(this.#buffers);
    let made: GPUBuffer[] = [];
    // Taken at once: while the GPU answers, others may allocate too.
    const take = () => (made = [...this.#buffers].filter((buffer) => !before.has(buffer)));
    const undo = () => made.forEach((buffer) => this.release(buffer));
    this.gpu.pushErrorScope("out-of-memory");
    let result: T;
    try {
      result = allocate();
      take();
    } catch (error) {
      take();
      undo();
      await this.gpu.popErrorScope();
      throw error;
    }
    const error = await Promise.race([this.gpu.popErrorScope(), this.lost]);
    if (error) {
      undo();
      throw new WebvaeError("OUT_OF_MEMORY", `the GPU has too little memory for ${what}: ${error.message}`);
    }
    return result;
  }

  /** The pipeline of an entry point; made once. Throws DOWNLOAD_FAILED where its WGSL must be loaded and cannot be. */
  pipeline(shader: ShaderSource, entryPoint: string, constants: Readonly<Record<string, number>>): Promise<Pipeline> {
    const key = `${shader.name} ${entryPoint} ${JSON.stringify(constants)}`;
    return once(this.#pipelines, key, () => this.#createPipeline(shader, entryPoint, constants));
  }

  async #createPipeline(
    shader: ShaderSource,
    entryPoint: string,
    constants: Readonly<Record<string, number>>,
  ): Promise<Pipeline> {
    this.assertAlive();
    const { name } = shader;
    let module = this.#modules.get(name);
    if (!module) {
      const code =
        typeof shader.code === "string" ? shader.code : await loaded(`the WGSL of ${name}`, "layers.js", shader.code);
      this.assertAlive();
      // Another entry point may have been quicker.
      module = this.#modules.get(name) ?? this.gpu.createShaderModule({ label: name, code });
      this.#modules.set(name, module);
    }
    const layout = tensorLayout(this.gpu, shader, entryPoint);
    const label = `${name}.${entryPoint}`;
    try {
      const pipeline = await this.gpu.createComputePipelineAsync({
        label,
        layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout, this.stepLayout] }),
        compute: { module, entryPoint, constants: { ...constants } },
      });
      return { pipeline, layout };
    } catch (cause) {
      await this.throwIfLost();
      throw new WebvaeError("INTERNAL", `${label} does not compile on ${this.adapterName}: ${String(cause)}`, {
        cause,
      });
    }
  }

  /** Destroys the device if the library made it, else only forgets the library's buffers on it. */
  dispose(): void {
    for (const buffer of [...this.#buffers]) this.release(buffer);
    if (this.owned) this.gpu.destroy();
  }
}

/** The default device stays at 128 MiB bindings and 8 storage buffers even where the adapter has more. */
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
