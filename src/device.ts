// One VAE's part of a GPUDevice: its buffers, its waits, and whether it is still usable. A VAE makes all its calls to
// WebGPU through this file, so that failures become typed errors and nothing is submitted once the VAE is disposed of
// or the device is lost. shared_device.ts has what all VAEs on one GPUDevice share.
import { WebvaeError } from "./errors.js";
import { Life } from "./life.js";
import { openShared, PATIENCE_MS, type DeviceOptions, type Pipeline, type SharedDevice } from "./shared_device.js";
import type { ShaderSource } from "./shader_source.js";

export type { DeviceOptions, Pipeline };

const FILTERS = ["validation", "out-of-memory", "internal"] as const;

export class Device {
  readonly gpu: GPUDevice;
  /** Vendor, architecture and description of the adapter: "google swiftshader (SwiftShader Device (LLVM 16))". */
  readonly adapterName: string;
  /** Whether the adapter computes on the CPU. */
  readonly software: boolean;
  /** Ends when the VAE is disposed of or the device is lost. */
  readonly life = new Life();
  readonly #buffers = new Set<GPUBuffer>();
  /** The buffers made within the current `allocating`. */
  #made: GPUBuffer[] | undefined;
  readonly #forget: () => void;
  #disposed = false;

  private constructor(
    readonly shared: SharedDevice,
    /** Milliseconds to wait for a response from WebGPU. */
    private readonly patienceMs: number,
  ) {
    this.gpu = shared.gpu;
    this.adapterName = shared.adapterName;
    this.software = shared.software;
    this.#forget = shared.life.onEnd((error) => this.life.end(error));
  }

  /**
   * A VAE's part of the given device, or of a new one with the adapter's full limits. Throws NO_WEBGPU, NO_ADAPTER,
   * DEVICE_REFUSED, TIMEOUT, GPU_FAILED, and the signal's reason.
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    return new Device(await openShared(options), options.timeoutMs ?? PATIENCE_MS);
  }

  get stepLayout(): GPUBindGroupLayout {
    return this.shared.stepLayout;
  }

  /** Throws DISPOSED or DEVICE_LOST. */
  assertAlive(): void {
    this.life.throwIfEnded();
  }

  /** Bytes and number of the buffers that the library has on the GPUDevice, for all VAEs. */
  get allocated(): { buffers: number; bytes: number } {
    let bytes = 0;
    for (const buffer of this.shared.buffers) bytes += buffer.size;
    return { buffers: this.shared.buffers.size, bytes };
  }

  /**
   * Returns the result of `use`. Throws DISPOSED or DEVICE_LOST before calling it; what it throws becomes GPU_FAILED.
   */
  call<T>(what: string, use: (gpu: GPUDevice) => T): T {
    this.assertAlive();
    try {
      return use(this.gpu);
    } catch (cause) {
      throw this.#failed(what, cause);
    }
  }

  /** Waits for `promise`. Throws DISPOSED, DEVICE_LOST, TIMEOUT, GPU_FAILED. */
  async wait<T>(what: string, promise: (gpu: GPUDevice) => PromiseLike<T>): Promise<T> {
    try {
      return await this.life.wait(this.call(what, promise), what, this.patienceMs);
    } catch (cause) {
      throw await this.#cause(this.#failed(what, cause));
    }
  }

  /** Runs the `work` of a public call. Rejects at once when the VAE ends, and with DEVICE_LOST if that made it fail. */
  async working<T>(work: () => Promise<T>): Promise<T> {
    this.assertAlive();
    try {
      return await this.life.wait(work(), "");
    } catch (error) {
      throw await this.#cause(error);
    }
  }

  /** Records commands and submits them. */
  submit(label: string, record: (encoder: GPUCommandEncoder) => void): void {
    this.call(label, (gpu) => {
      const encoder = gpu.createCommandEncoder({ label });
      record(encoder);
      gpu.queue.submit([encoder.finish()]);
    });
  }

  /** Writes `data` to a buffer, before anything submitted later. */
  write(buffer: GPUBuffer, offset: number, data: GPUAllowSharedBufferSource): void {
    this.call("writing a buffer", (gpu) => gpu.queue.writeBuffer(buffer, offset, data));
  }

  /** A buffer that `allocated` counts until `release`. Use inside `allocating`. */
  buffer(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.call(label, (gpu) => gpu.createBuffer({ label, size: Math.ceil(size / 16) * 16, usage }));
    this.#buffers.add(buffer);
    this.shared.buffers.add(buffer);
    this.#made?.push(buffer);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    this.shared.buffers.delete(buffer);
    if (!this.#buffers.delete(buffer)) return;
    try {
      buffer.destroy();
    } catch {
      // It is unusable anyway.
    }
  }

  /**
   * Returns the result of `make`. If that fails, releases the buffers it made and throws OUT_OF_MEMORY with the bytes,
   * GPU_FAILED, DISPOSED or DEVICE_LOST. The page sees none of WebGPU's own errors.
   */
  async allocating<T>(what: string, make: () => T): Promise<T> {
    const made: GPUBuffer[] = [];
    const undo = () => made.forEach((buffer) => this.release(buffer));
    try {
      const { result, errors } = await this.scoped(what, () => {
        this.#made = made;
        try {
          return make();
        } finally {
          this.#made = undefined;
        }
      });
      const memory = errors.find(([filter]) => filter === "out-of-memory");
      if (memory) throw outOfMemory(what, made, memory[1]);
      if (errors[0]) throw this.#failed(what, errors[0].join(": "));
      return result;
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** The result of `use` and WebGPU's errors about its calls. `use` must be synchronous. */
  async scoped<T>(
    what: string,
    use: () => T,
  ): Promise<{ result: T; errors: (readonly [(typeof FILTERS)[number], string])[] }> {
    const pushed: (typeof FILTERS)[number][] = [];
    let outcome: { readonly result: T } | { readonly error: unknown };
    try {
      for (const filter of FILTERS) {
        this.call(what, (gpu) => gpu.pushErrorScope(filter));
        pushed.unshift(filter);
      }
      outcome = { result: use() };
    } catch (error) {
      outcome = { error };
    }
    // All are popped, even if one of these calls throws.
    const popped = pushed.map(async (filter) => {
      const error = await this.life.wait(this.gpu.popErrorScope(), what, this.patienceMs);
      return error ? [[filter, error.message] as const] : [];
    });
    const answers = await Promise.allSettled(popped);
    if ("error" in outcome) throw await this.#cause(outcome.error);
    const errors = [];
    for (const answer of answers) {
      if (answer.status === "rejected") throw await this.#cause(this.#failed(what, answer.reason));
      errors.push(...answer.value);
    }
    return { result: outcome.result, errors };
  }

  /** An entry point's pipeline, created once for all VAEs. Throws DOWNLOAD_FAILED if its WGSL cannot be loaded. */
  async pipeline(
    shader: ShaderSource,
    entryPoint: string,
    constants: Readonly<Record<string, number>>,
  ): Promise<Pipeline> {
    this.assertAlive();
    return this.life.wait(this.shared.pipeline(shader, entryPoint, constants, this.patienceMs), entryPoint);
  }

  /** `cause` as a WebvaeError, unless it already is one. */
  #failed(what: string, cause: unknown): unknown {
    return cause instanceof WebvaeError ? cause : this.shared.failed(what, cause);
  }

  /** DEVICE_LOST instead of GPU_FAILED, if that is why; other errors unchanged. */
  async #cause(error: unknown): Promise<unknown> {
    if (!(error instanceof WebvaeError) || error.code !== "GPU_FAILED") return error;
    return this.life.ended ?? (await this.shared.lostSoon()) ?? error;
  }

  /** Releases this VAE's buffers. Pending waits and later calls reject with DISPOSED. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.life.end(new WebvaeError("DISPOSED", "this VAE has been disposed of"));
    this.#forget();
    for (const buffer of [...this.#buffers]) this.release(buffer);
    this.shared.leave();
  }
}

function outOfMemory(what: string, made: readonly GPUBuffer[], message: string): WebvaeError {
  const bytes = made.reduce((sum, { size }) => sum + size, 0);
  const largest = made.reduce((a, b) => (b.size > a.size ? b : a), made[0]!);
  const most = made.length > 1 ? `, ${largest.size} of them for ${largest.label}` : "";
  return new WebvaeError(
    "OUT_OF_MEMORY",
    `the GPU has too little memory for ${what}: ${bytes} bytes${most}. A smaller batch, model or data set needs less ` +
      `(${message.slice(0, 200)})`,
  );
}
