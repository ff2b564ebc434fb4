// The VAE that a user holds: weights on the GPU, and what can be done with them.
import { abortable } from "./abort.js";
import type { Checkpoint, Progress } from "./checkpoint.js";
import type { Dataset } from "./data/dataset.js";
import { Device, type DeviceOptions } from "./device.js";
import { WebvaeError } from "./errors.js";
import { Evaluation, type EvaluationOptions, type RunParts, type Terms } from "./evaluation.js";
import type { Examples, IntoBuffer, Latents } from "./examples.js";
import { ModelBuffers, type HostWeights } from "./model_buffers.js";
import { readModel, writeModel } from "./model_files.js";
import type { Schedule } from "./ops/op.js";
import { invalidOption, optionsOf, wholeNumber } from "./options.js";
import type { SchedulerCounts } from "./scheduler.js";
import { Sampler } from "./sampler.js";
import { describe } from "./checks.js";
import { resolveSpec, type ModelSpec } from "./spec.js";
import { size } from "./tensor.js";
import { trainingOptions, type TrainingOptions } from "./training_options.js";
import { TrainingRun, type TrainingReport } from "./training_run.js";
import { createTuner } from "./tuner.js";
import type { TuningStore } from "./tuning_store.js";
import { defineModel, type Model } from "./parameters.js";
import { initialStatistics, initialWeights, type Initialisation } from "./weights.js";

/** How a VAE begins, and on which device. */
export interface VAEOptions extends DeviceOptions {
  /** Keys the first weights and everything drawn in training. A whole number from 0. Default 0. */
  readonly seed?: number;
  /** How the weights begin. Default "torch". */
  readonly initialisation?: Initialisation;
  /**
   * Where measured schedules are kept; false measures nothing and takes the usual ones. Default: IndexedDB in a page,
   * elsewhere nothing beyond the device's life.
   */
  readonly tuning?: TuningStore | false;
}

const known = ["seed", "initialisation", "device", "gpu", "powerPreference", "tuning"] as const;
const drawing = ["noise", "seed", "signal", "to"] as const;

/** How examples are drawn. */
export interface SampleOptions {
  /** Draw x from p(x|z) instead of giving its mean: pixels of 0 and 1, or points with their sigma. Default false. */
  readonly noise?: boolean;
  /** Default: new draws at each call, the same from run to run. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** How examples go through the model and back. */
export interface ReconstructOptions {
  /** Decode a draw from q(z|x) instead of its mean. Default false. */
  readonly noise?: boolean;
  /** Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** Bytes that a VAE has on the GPU, and numbers of its model. */
export interface MemoryReport {
  readonly parameters: number;
  readonly weightBytes: number;
  /** All of the library's buffers on this device. */
  readonly deviceBytes: number;
  readonly deviceBuffers: number;
  /** The last training plan: its activations' shared slots, and what they would take unshared. */
  readonly activationBytes?: number;
  readonly activationBytesUnshared?: number;
}

/** A variational autoencoder on a GPU device (Kingma and Welling, 2014). */
export class VAE {
  readonly #parts: RunParts;
  readonly #sampler: Sampler;
  #run: TrainingRun | undefined;
  #training = false;
  #preparing: Promise<unknown> = Promise.resolve();
  #calls = 0;
  #disposed = false;
  #schedules: Readonly<Record<string, Schedule>> = {};
  #memory: Pick<MemoryReport, "activationBytes" | "activationBytesUnshared"> = {};
  #counts: SchedulerCounts | undefined;

  private constructor(
    private readonly device: Device,
    private readonly model: Model,
    private readonly buffers: ModelBuffers,
    private progress: Progress,
    private readonly ownsDevice: boolean,
    tuning: VAEOptions["tuning"],
  ) {
    this.#parts = { device, model, buffers, tuner: createTuner(device, tuning) };
    this.#sampler = new Sampler(this.#parts);
  }

  /**
   * A VAE with new weights. Throws INVALID_SPEC or INVALID_OPTION before it asks for a device; then NO_WEBGPU,
   * NO_ADAPTER, DEVICE_REFUSED, LIMIT_EXCEEDED, OUT_OF_MEMORY.
   */
  static async create(spec: ModelSpec, options: VAEOptions = {}): Promise<VAE> {
    const model = defineModel(resolveSpec(spec));
    const { seed = 0, initialisation = "torch" } = optionsOf(options, "create", known);
    if (!["torch", "glorot"].includes(initialisation)) {
      throw invalidOption(`initialisation must be "torch" or "glorot", not ${String(initialisation)}`);
    }
    const weights = () => ({
      weights: initialWeights(model, seed, initialisation),
      statistics: initialStatistics(model),
    });
    return VAE.#open(model, weights, { seed, step: 0, epoch: 0, epochStep: 0 }, options);
  }

  /**
   * A VAE from the bytes of a saved one; training continues where it stood if its state was saved. Throws
   * INVALID_FILE, SPEC_MISMATCH (where `spec` is given and the file's is another), NON_FINITE, DOWNLOAD_FAILED (of the
   * library's files.js), and as `create`.
   */
  static async load(bytes: Uint8Array | ArrayBuffer, options: VAEOptions & { spec?: ModelSpec } = {}): Promise<VAE> {
    const { seed = 0, spec } = optionsOf(options, "load", [...known, "spec"]);
    const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    if (!(file instanceof Uint8Array)) {
      throw new WebvaeError(
        "INVALID_FILE",
        `model file: must be a Uint8Array or an ArrayBuffer, not ${describe(file)}`,
      );
    }
    const checkpoint = await readModel(file, spec);
    const progress = checkpoint.training?.progress ?? { seed, step: 0, epoch: 0, epochStep: 0 };
    const vae = await VAE.#open(checkpoint.model, () => checkpoint, progress, options);
    if (checkpoint.training) {
      const { moment1, moment2, schedules } = checkpoint.training;
      try {
        await vae.buffers.setMoments(moment1, moment2);
      } catch (error) {
        vae.dispose();
        throw error;
      }
      vae.#schedules = schedules;
    }
    return vae;
  }

  static async #open(model: Model, weights: () => HostWeights, progress: Progress, options: VAEOptions): Promise<VAE> {
    const device = await Device.open(options);
    const owned = !options.device;
    try {
      const bytes = 4 * size(model.params.storage);
      const largest = Math.min(device.gpu.limits.maxStorageBufferBindingSize, device.gpu.limits.maxBufferSize);
      if (bytes > largest) {
        const count = model.parameters.reduce((sum, { tensor }) => sum + size(tensor.shape), 0);
        throw new WebvaeError(
          "LIMIT_EXCEEDED",
          `the model's ${count} parameters take ${bytes} bytes; this adapter binds at most ${largest}`,
        );
      }
      const buffers = await ModelBuffers.create(device, model, weights());
      return new VAE(device, model, buffers, progress, owned, options.tuning);
    } catch (error) {
      if (owned) device.dispose();
      throw error;
    }
  }

  get spec(): ModelSpec {
    return this.model.resolved.spec;
  }

  /** The adapter's vendor, architecture and description, and whether it computes on the processor. */
  get adapter(): { readonly name: string; readonly software: boolean } {
    return { name: this.device.adapterName, software: this.device.software };
  }

  /** The device that it computes on: its own, or the page's. Buffers given to it, or drawn from, are of this device. */
  get gpuDevice(): GPUDevice {
    return this.device.gpu;
  }

  /** Steps and epochs trained so far. */
  get trained(): { readonly steps: number; readonly epochs: number } {
    return { steps: this.progress.step, epochs: this.progress.epoch };
  }

  /**
   * Trains for `epochs` more epochs, yielding a report several times a second and at the end of each epoch. Breaking
   * off the loop, or the signal, stops at once and keeps the weights; calling again goes on from there. Throws
   * INVALID_OPTION and INVALID_DATA before anything is allocated; NON_FINITE where the loss is NaN or infinite, with
   * the last good weights kept; DEVICE_LOST; BUSY while another run is under way.
   */
  async *train(data: Dataset, options: TrainingOptions = {}): AsyncGenerator<TrainingReport, void, undefined> {
    this.#assertUsable();
    const { signal } = trainingOptions(options);
    if (this.#training) throw new WebvaeError("BUSY", "this VAE is being trained; one run at a time");
    this.#training = true;
    try {
      // A run that was aborted while it was made ready is still being made; it is discarded when it is there.
      await abortable(signal, this.#preparing);
      const prepared = TrainingRun.create(this.#parts, data, options, this.progress, this.#schedules);
      this.#preparing = prepared.catch(() => {});
      const run = await abortable(signal, prepared, (late) => late.dispose());
      this.#run = run;
      this.#assertUsable();
      this.#schedules = { ...this.#schedules, ...run.schedules };
      this.#counts = run.counts;
      this.#memory = {
        activationBytes: Object.values(run.executable.plan.buffers).reduce(
          (sum, { kind, bytes }) => sum + (kind === "slot" ? bytes : 0),
          0,
        ),
        activationBytesUnshared: run.executable.plan.activationBytes,
      };
      for await (const report of run.reports()) {
        this.progress = run.progress;
        yield report;
        this.#assertUsable();
      }
    } finally {
      if (this.#run) this.progress = this.#run.progress;
      this.#run?.dispose();
      this.#run = undefined;
      this.#training = false;
    }
  }

  /** The ELBO of a data set and its two terms, in nats per example; the same for the same seed. */
  async elbo(data: Dataset, options: EvaluationOptions = {}): Promise<Terms> {
    this.#assertUsable();
    const { samples = 1, binarise = false } = optionsOf(options, "elbo", ["seed", "samples", "binarise", "signal"]);
    wholeNumber("samples", samples);
    const created = Evaluation.create(this.#parts, data, { binarise });
    const evaluation = await abortable(options.signal, created, (late) => late.dispose());
    try {
      return await evaluation.run(options);
    } finally {
      evaluation.dispose();
    }
  }

  /**
   * `count` examples [count, ...input] from the prior: probabilities for a Bernoulli, means for a Gaussian. With `to`
   * they stay on the GPU.
   */
  async sample(count: number, options: SampleOptions & IntoBuffer): Promise<undefined>;
  async sample(count: number, options?: SampleOptions): Promise<Float32Array>;
  async sample(count: number, options: SampleOptions & Partial<IntoBuffer> = {}): Promise<Float32Array | undefined> {
    this.#assertUsable();
    const { seed = this.progress.seed, ...more } = optionsOf(options, "sample", drawing);
    return this.#sampler.sample(count, { ...more, seed, call: options.seed === undefined ? this.#calls++ : 0 });
  }

  /** Examples through the model and back, [n, ...input]; with `to` they stay on the GPU. */
  async reconstruct(examples: Examples, options: ReconstructOptions & IntoBuffer): Promise<undefined>;
  async reconstruct(examples: Examples, options?: ReconstructOptions): Promise<Float32Array>;
  async reconstruct(
    examples: Examples,
    options: ReconstructOptions & Partial<IntoBuffer> = {},
  ): Promise<Float32Array | undefined> {
    this.#assertUsable();
    return this.#sampler.reconstruct(examples, optionsOf(options, "reconstruct", drawing));
  }

  /** Mean and log variance of q(z|x), [n, latent] each. */
  async encode(
    examples: Examples,
    options: { signal?: AbortSignal } = {},
  ): Promise<{ mean: Float32Array; logVariance: Float32Array }> {
    this.#assertUsable();
    return this.#sampler.encode(examples, optionsOf(options, "encode", ["signal"]).signal);
  }

  /** Examples [n, ...input] from latents [n, latent]; with `to` they stay on the GPU. */
  async decode(latents: Latents, options: { signal?: AbortSignal } & IntoBuffer): Promise<undefined>;
  async decode(latents: Latents, options?: { signal?: AbortSignal }): Promise<Float32Array>;
  async decode(
    latents: Latents,
    options: { signal?: AbortSignal } & Partial<IntoBuffer> = {},
  ): Promise<Float32Array | undefined> {
    this.#assertUsable();
    return this.#sampler.decode(latents, optionsOf(options, "decode", ["signal", "to"]));
  }

  /**
   * The weights as a safetensors file (README: the names and layouts). With `trainingState` also the optimizer's
   * moments and where the run stands, so that a loaded VAE continues bit for bit. Throws DOWNLOAD_FAILED where the
   * library's files.js cannot be loaded: a later call tries again.
   */
  async save(options: { trainingState?: boolean } = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertUsable();
    const { trainingState = false } = optionsOf(options, "save", ["trainingState"]);
    const { model, progress } = this;
    const weights = await this.buffers.readWeights();
    const moments = trainingState ? await this.buffers.readMoments() : undefined;
    const checkpoint: Checkpoint = {
      model,
      ...weights,
      ...(moments
        ? { training: { moment1: moments[0], moment2: moments[1], progress, schedules: this.#schedules } }
        : {}),
    };
    return writeModel(checkpoint);
  }

  /** What the VAE and its last training run have on the GPU. */
  memory(): MemoryReport {
    const { buffers, bytes } = this.device.allocated;
    return {
      parameters: this.model.parameters.reduce((sum, { tensor }) => sum + size(tensor.shape), 0),
      weightBytes: 4 * size(this.model.params.storage),
      deviceBytes: bytes,
      deviceBuffers: buffers,
      ...this.#memory,
    };
  }

  /** Submits, steps and host time of the last training run, for benchmarks. */
  get counts(): Readonly<SchedulerCounts> | undefined {
    return this.#counts;
  }

  /** Releases everything on the GPU; destroys the device if the VAE asked for it itself. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#run?.dispose();
    this.#sampler.dispose();
    this.buffers.dispose();
    if (this.ownsDevice) this.device.dispose();
  }

  /** As `dispose`, at the end of a block that declares the VAE with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #assertUsable(): void {
    if (this.#disposed) throw new WebvaeError("DISPOSED", "this VAE has been disposed of");
    this.device.assertAlive();
  }
}
