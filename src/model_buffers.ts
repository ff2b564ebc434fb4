// A model's weights on the GPU, and, once it is trained, what the optimizer keeps beside them.
import type { Device } from "./device.js";
import { readRanges } from "./readback.js";
import { size } from "./tensor.js";
import type { Model } from "./parameters.js";

const STORAGE = 0x80 | 0x08 | 0x04; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC

/** What a model is, on the host: its weights, and the running statistics of its layers. */
export interface HostWeights {
  readonly weights: Float32Array<ArrayBuffer>;
  readonly statistics: Float32Array<ArrayBuffer>;
}

export class ModelBuffers {
  #training: Record<"gradients" | "moment1" | "moment2" | "health", GPUBuffer> | undefined;

  private constructor(
    private readonly device: Device,
    private readonly bytes: number,
    private readonly weights: Readonly<Record<string, GPUBuffer>>,
  ) {}

  /** Puts weights (laid out as model.params) and running statistics (model.running) on the GPU. Throws OUT_OF_MEMORY. */
  static async create(device: Device, model: Model, { weights, statistics }: HostWeights): Promise<ModelBuffers> {
    const { likelihood } = model.resolved.spec;
    const buffers = await device.allocating("the weights", () => ({
      params: device.buffer("params", 4 * size(model.params.storage), STORAGE),
      ...(statistics.length > 0 ? { running: device.buffer("running", statistics.byteLength, STORAGE) } : {}),
      ...(model.logSigma?.role === "state" ? { log_sigma: device.buffer("log_sigma", 16, STORAGE) } : {}),
    }));
    device.gpu.queue.writeBuffer(buffers.params, 0, weights);
    if (buffers.running) device.gpu.queue.writeBuffer(buffers.running, 0, statistics);
    if (buffers.log_sigma && likelihood !== "bernoulli" && likelihood.variance !== "learned") {
      const logSigma = 0.5 * Math.log(likelihood.variance);
      device.gpu.queue.writeBuffer(buffers.log_sigma, 0, new Float32Array([logSigma, 0, 0, 0]));
    }
    return new ModelBuffers(device, 4 * size(model.params.storage), buffers);
  }

  /** Buffers by the names that inference plans use. */
  get inference(): Readonly<Record<string, GPUBuffer>> {
    return this.weights;
  }

  /** Buffers by the names that a training plan uses; the moments begin at zero. */
  async training(): Promise<Readonly<Record<string, GPUBuffer>>> {
    this.#training ??= await this.device.allocating("the optimizer's state", () => ({
      gradients: this.device.buffer("gradients", this.bytes, STORAGE),
      moment1: this.device.buffer("moment1", this.bytes, STORAGE),
      moment2: this.device.buffer("moment2", this.bytes, STORAGE),
      health: this.device.buffer("health", 16, STORAGE),
    }));
    return { ...this.weights, ...this.#training };
  }

  async setMoments(moment1: Float32Array<ArrayBuffer>, moment2: Float32Array<ArrayBuffer>): Promise<void> {
    const { moment1: first, moment2: second } = await this.training();
    this.device.gpu.queue.writeBuffer(first!, 0, moment1);
    this.device.gpu.queue.writeBuffer(second!, 0, moment2);
  }

  /** Lets steps change the weights again after a loss that wasn't finite. */
  resume(): void {
    if (this.#training) this.device.gpu.queue.writeBuffer(this.#training.health, 0, new Uint32Array(4));
  }

  async readWeights(): Promise<HostWeights> {
    const { params, running } = this.weights;
    const ranges = [params!, ...(running ? [running] : [])].map((buffer) => ({
      buffer,
      offset: 0,
      bytes: buffer.size,
    }));
    const both = await readRanges(this.device, ranges);
    const count = this.bytes / 4;
    return { weights: new Float32Array(both, 0, count), statistics: new Float32Array(both.slice(params!.size)) };
  }

  /** Both moments, or nothing where the model was never trained. */
  async readMoments(): Promise<[Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] | undefined> {
    if (!this.#training) return undefined;
    const both = await this.#read([this.#training.moment1, this.#training.moment2]);
    return [new Float32Array(both, 0, this.bytes / 4), new Float32Array(both, this.bytes)];
  }

  #read(buffers: readonly GPUBuffer[]): Promise<ArrayBuffer> {
    return readRanges(
      this.device,
      buffers.map((buffer) => ({ buffer, offset: 0, bytes: this.bytes })),
    );
  }

  dispose(): void {
    for (const buffer of Object.values({ ...this.weights, ...this.#training })) this.device.release(buffer);
  }
}
