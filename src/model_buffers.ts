// A model's weights on the GPU, and, once it is trained, what the optimizer keeps beside them.
import type { Device } from "./device.js";
import { readTogether } from "./readback.js";
import { size } from "./tensor.js";
import type { Model } from "./parameters.js";

const STORAGE = 0x80 | 0x08 | 0x04; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC

/** What a model is, on the host: its weights, and the running statistics of its layers. */
export interface HostWeights {
  readonly weights: Float32Array<ArrayBuffer>;
  readonly statistics: Float32Array<ArrayBuffer>;
}

/** The model at one moment between two submits. */
export interface Snapshot extends HostWeights {
  /** Adam's first and second moments, if they were asked for; 0 before any training. */
  readonly moments?: readonly [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
  /** Whether a loss wasn't finite, after which no step changed anything. */
  readonly halted: boolean;
}

export class ModelBuffers {
  #training: Record<"gradients" | "moment1" | "moment2" | "health", GPUBuffer> | undefined;

  private constructor(
    private readonly device: Device,
    private readonly bytes: number,
    private readonly weights: Readonly<Record<string, GPUBuffer>>,
  ) {}

  /**
   * Puts weights (laid out as model.params) and running statistics (model.running) on the GPU. Throws OUT_OF_MEMORY.
   */
  static async create(device: Device, model: Model, { weights, statistics }: HostWeights): Promise<ModelBuffers> {
    const { tensor, fixed } = model.likelihood;
    const constant = fixed === undefined ? undefined : tensor!.name;
    const buffers = await device.allocating("the weights", (): Record<string, GPUBuffer> => ({
      params: device.buffer("params", 4 * size(model.params.storage), STORAGE),
      ...(statistics.length > 0 ? { running: device.buffer("running", statistics.byteLength, STORAGE) } : {}),
      ...(constant ? { [constant]: device.buffer(constant, 16, STORAGE) } : {}),
    }));
    device.write(buffers.params!, 0, weights);
    if (buffers.running) device.write(buffers.running, 0, statistics);
    if (constant) device.write(buffers[constant]!, 0, new Float32Array([fixed!, 0, 0, 0]));
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

  async setMoments(moments: NonNullable<Snapshot["moments"]>): Promise<void> {
    const { moment1, moment2 } = await this.training();
    this.device.write(moment1!, 0, moments[0]);
    this.device.write(moment2!, 0, moments[1]);
  }

  /** Lets steps change the weights again after a loss that wasn't finite. */
  resume(): void {
    if (this.#training) this.device.write(this.#training.health, 0, new Uint32Array(4));
  }

  /**
   * Copies the model between two submits, calling `at` at that moment. With `moments`, Adam's too (0 before training).
   */
  async snapshot(moments: boolean, at: () => void = () => {}): Promise<Snapshot> {
    const { params, running } = this.weights;
    const { moment1, moment2, health } = this.#training ?? {};
    const wanted = { params, running, ...(moments ? { moment1, moment2 } : {}), health };
    const names = (Object.keys(wanted) as (keyof typeof wanted)[]).filter((name) => wanted[name]);
    const ranges = names.map((name) => [{ buffer: wanted[name]!, offset: 0, bytes: wanted[name]!.size }]);
    const read = await readTogether(this.device, ranges, at);
    const floats = (name: keyof typeof wanted) => {
      const bytes = read[names.indexOf(name)];
      return bytes && new Float32Array(bytes);
    };
    const moment = (name: "moment1" | "moment2") => floats(name) ?? new Float32Array(this.bytes / 4);
    const state = read[names.indexOf("health")];
    return {
      // Buffers are whole vec4, as is the flat tensor of the weights.
      weights: floats("params")!,
      statistics: floats("running") ?? new Float32Array(),
      ...(moments ? { moments: [moment("moment1"), moment("moment2")] as const } : {}),
      halted: !!state && new Uint32Array(state)[0] !== 0,
    };
  }

  /** Restores the model to a snapshot, after everything submitted so far. */
  restore({ weights, statistics, moments }: Snapshot): void {
    this.device.write(this.weights.params!, 0, weights);
    if (this.weights.running) this.device.write(this.weights.running, 0, statistics);
    if (moments && this.#training) {
      this.device.write(this.#training.moment1, 0, moments[0]);
      this.device.write(this.#training.moment2, 0, moments[1]);
    }
    this.resume();
  }
}
