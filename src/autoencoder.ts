// The public VAE class: weights on the GPU, and the operations on them.
import { advised } from "./advice.js";
import { abortable } from "./abort.js";
import type { Dataset } from "./data/dataset.js";
import type { Device } from "./device.js";
import { WebvaeError } from "./errors.js";
import { evaluated, type EvaluationOptions, type RunParts } from "./evaluation.js";
import type { Examples, IntoBuffer, Latents } from "./examples.js";
import { boundOn } from "./likelihood_run.js";
import type { HostWeights, ModelBuffers } from "./model_buffers.js";
import { modelFiles } from "./model_files.js";
import type { NamedWeights } from "./named_weights.js";
import { resolved } from "./prepare.js";
import type { ModelSpec } from "./spec.js";
import type { Progress } from "./progress.js";
import { Runs } from "./runs.js";
import { SafePoints } from "./safe_points.js";
import { opened } from "./opened.js";
import { invalidOption, optionsOf } from "./options.js";
import type { SchedulerCounts } from "./scheduler.js";
import { Sampler, type Encoded } from "./sampler.js";
import type { LogLikelihood } from "./log_likelihood.js";
import type { Scores, Terms } from "./scores.js";
import { quoted, reading } from "./checks.js";
import { size } from "./tensor.js";
import { Training } from "./training.js";
import type { TrainingOptions } from "./training_options.js";
import type { Standing } from "./training_steps.js";
import { createTuner } from "./tuner.js";
import { defineModel, type Model } from "./parameters.js";
import { WeightsLock } from "./weights_lock.js";
import type {
  CallOptions,
  MemoryReport,
  ReconstructOptions,
  SampleOptions,
  SaveOptions,
  VAEOptions,
} from "./vae_options.js";
import { initialStatistics, initialWeights } from "./weights.js";

const opening = ["seed", "device", "gpu", "powerPreference", "tuning", "signal", "timeoutMs"] as const;
const drawing = ["noise", "seed", "signal", "to"] as const;

/** A variational autoencoder on a GPU device (Kingma and Welling, 2014). */
export class VAE {
  readonly #parts: RunParts;
  readonly #sampler: Sampler;
  readonly #standing: Standing;
  readonly #runs: Runs;
  /** The weights by name, to read and to replace. */
  readonly weights: NamedWeights;
  #calls = 0;

  private constructor(
    private readonly device: Device,
    private readonly model: Model,
    private readonly buffers: ModelBuffers,
    progress: Progress,
    tuning: VAEOptions["tuning"],
  ) {
    this.#standing = { progress, safe: new SafePoints(buffers) };
    this.#parts = {
      device,
      model,
      buffers,
      tuner: createTuner(device, tuning),
      lock: new WeightsLock(),
      stepsDone: () => this.#standing.progress.step,
    };
    this.#sampler = new Sampler(this.#parts);
    const runs = (this.#runs = new Runs(this.#parts, this.#standing));
    this.weights = {
      list: () => structuredClone([...model.parameters, ...model.statistics].flatMap(({ files }) => files)),
      get: async (name) => (await modelFiles()).getWeights(runs, name),
      set: async (name, values) => {
        // The caller may change them while this waits.
        const copy = reading("INVALID_DATA", "weights.set", () => (values as number[] | null)?.slice?.() ?? values);
        return (await modelFiles()).setWeights(runs, name, copy);
      },
    };
  }

  /**
   * A VAE with new weights. Throws INVALID_SPEC, INVALID_OPTION or DOWNLOAD_FAILED (if the library's layers.js is needed
   * and cannot be loaded) before it requests a device; then NO_WEBGPU, NO_ADAPTER, DEVICE_REFUSED, LIMIT_EXCEEDED,
   * OUT_OF_MEMORY, DEVICE_LOST, GPU_FAILED; TIMEOUT, and the signal's reason.
   */
  static async create(spec: ModelSpec, options: VAEOptions = {}): Promise<VAE> {
    const own = optionsOf(options, "create", [...opening, "initialisation"]);
    const { seed = 0, initialisation = "torch", signal } = own;
    if (!["torch", "glorot"].includes(initialisation)) {
      throw invalidOption(`initialisation must be "torch" or "glorot", not ${quoted(initialisation)}`);
    }
    const model = defineModel(await abortable(signal, resolved(spec, own.timeoutMs)));
    const weights = () => ({
      weights: initialWeights(model, seed, initialisation),
      statistics: initialStatistics(model),
    });
    return VAE.#open(model, weights, { seed, step: 0, epoch: 0, epochStep: 0 }, own);
  }

  /**
   * A VAE from the bytes of a saved one; if its training state was saved, training can continue where it stopped. With
   * `spec`, also reads a safetensors file without metadata whose tensors have the names and shapes that `save` writes.
   * From a file with only the decoder it can `sample` and `decode`, from one with only the encoder `encode`; all other
   * calls throw UNSUPPORTED before anything is allocated.
   * Throws INVALID_FILE; SPEC_MISMATCH if the file's spec differs from `spec`, or if tensors are missing, unexpected or
   * of other shapes; NON_FINITE; DOWNLOAD_FAILED if the library's files.js cannot be loaded; and everything that
   * `create` throws.
   */
  static async load(bytes: Uint8Array | ArrayBuffer, options: VAEOptions & { spec?: ModelSpec } = {}): Promise<VAE> {
    const own = optionsOf(options, "load", [...opening, "spec"]);
    const { seed = 0, spec, signal } = own;
    const file = reading("INVALID_FILE", "model file", () => {
      const given = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
      if (given instanceof Uint8Array) return given;
      throw new WebvaeError("INVALID_FILE", `model file: must be a Uint8Array or an ArrayBuffer, not ${quoted(given)}`);
    });
    // Both are copied at once: the caller may change either while this waits.
    const copy = new Uint8Array(file);
    const expected = spec && defineModel(await abortable(signal, resolved(spec, own.timeoutMs)));
    const read = modelFiles().then((files) => files.readCheckpoint(copy, expected));
    const checkpoint = await abortable(signal, read);
    const progress = checkpoint.training?.progress ?? { seed, step: 0, epoch: 0, epochStep: 0 };
    const vae = await VAE.#open(checkpoint.model, () => checkpoint, progress, own);
    if (checkpoint.training) {
      const { moment1, moment2, schedules } = checkpoint.training;
      try {
        await vae.buffers.setMoments([moment1, moment2]);
      } catch (error) {
        vae.dispose();
        throw error;
      }
      vae.#runs.schedules = schedules;
    }
    return vae;
  }

  static async #open(model: Model, weights: () => HostWeights, progress: Progress, options: VAEOptions): Promise<VAE> {
    const { device, buffers } = await opened(model, weights, options);
    return new VAE(device, model, buffers, progress, options.tuning);
  }

  get spec(): ModelSpec {
    return this.model.resolved.spec;
  }

  /** The adapter's vendor, architecture and description, and whether it runs on the CPU. */
  get adapter(): { readonly name: string; readonly software: boolean } {
    return { name: this.device.adapterName, software: this.device.software };
  }

  /**
   * The device in use: the VAE's own, or the page's. Buffers passed to the VAE, or drawn from, belong to this device.
   */
  get gpuDevice(): GPUDevice {
    return this.device.gpu;
  }

  /** Steps and epochs trained so far. */
  get trained(): { readonly steps: number; readonly epochs: number } {
    const { step, epoch } = this.#standing.progress;
    return { steps: step, epochs: epoch };
  }

  /**
   * Trains for `epochs` more epochs. `for await` iterates over the run's reports, several per second and one at the end
   * of each epoch; `await` trains to the end and returns the last report. Breaking out of the loop or aborting the
   * signal stops at once and keeps the weights; calling `train` again continues from there. `data` is borrowed until
   * the run ends. Throws INVALID_OPTION and INVALID_DATA before anything is allocated; NON_FINITE if the loss is NaN or
   * infinite, with the last good weights kept; DEVICE_LOST, after which `save` still returns the last copy of the model;
   * BUSY while another run is under way; DISPOSED, TIMEOUT, GPU_FAILED.
   */
  train(data: Dataset, options: TrainingOptions = {}): Training {
    return new Training(() => this.#runs.reports(data, options));
  }

  /**
   * The ELBO of a data set and its two terms, in nats per example, for the weights after `step` steps. The same seed
   * gives the same result. Throws NON_FINITE if it is NaN or infinite, INVALID_OPTION, INVALID_DATA, and GPU errors.
   */
  async elbo(data: Dataset, options: EvaluationOptions = {}): Promise<Terms & { readonly step: number }> {
    return evaluated(this.#parts, "elbo", data, options, async (evaluation, step, own) => {
      const terms = await evaluation.run(own);
      if (Number.isFinite(terms.elbo)) return { ...terms, step };
      const why = (await advised(({ unscaled }) => unscaled(data))) ?? "Training may have diverged";
      throw new WebvaeError("NON_FINITE", `elbo: the ELBO of ${data.name} is ${terms.elbo}. ${why}.`);
    });
  }

  /**
   * The ELBO of each example and its two terms, [count] each, in nats: the lower it is, the less the example resembles
   * the training data. The mean of the array `elbo` is what the method `elbo` returns for the same options.
   */
  async score(data: Dataset, options: EvaluationOptions = {}): Promise<Scores> {
    return evaluated(this.#parts, "score", data, options, async (evaluation, step, own) => ({
      ...(await evaluation.scores(own)),
      step,
    }));
  }

  /**
   * log p(x) of each example by importance weighting (Burda et al. 2016, equation 8): a lower bound in the mean, which is
   * the tighter the more `samples` there are, 100 by default; 5,000 are usual for published figures. Memory doesn't grow
   * with them. Throws what `elbo` throws, and DOWNLOAD_FAILED if the library's layers.js cannot be loaded.
   */
  async logLikelihood(data: Dataset, options: EvaluationOptions = {}): Promise<LogLikelihood> {
    return boundOn(this.#parts, data, options);
  }

  /**
   * `count` examples [count, ...input] from the prior: probabilities for a Bernoulli, means for a Gaussian. With `to`
   * they stay on the GPU.
   */
  async sample(count: number, options: SampleOptions & IntoBuffer): Promise<undefined>;
  async sample(count: number, options?: SampleOptions): Promise<Float32Array>;
  async sample(count: number, options: SampleOptions & Partial<IntoBuffer> = {}): Promise<Float32Array | undefined> {
    return this.device.working(() => {
      const { seed, ...more } = this.#optionsOf(options, "sample", [...drawing, "temperature"]);
      const drawn = seed === undefined ? { seed: this.#standing.progress.seed, call: this.#calls++ } : { seed };
      return this.#sampler.sample(count, { ...more, ...drawn });
    });
  }

  /** The model's reconstructions of examples, [n, ...input]; with `to` they stay on the GPU. */
  async reconstruct(examples: Examples, options: ReconstructOptions & IntoBuffer): Promise<undefined>;
  async reconstruct(examples: Examples, options?: ReconstructOptions): Promise<Float32Array>;
  async reconstruct(
    examples: Examples,
    options: ReconstructOptions & Partial<IntoBuffer> = {},
  ): Promise<Float32Array | undefined> {
    return this.device.working(async () =>
      this.#sampler.reconstruct(examples, this.#optionsOf(options, "reconstruct", drawing)),
    );
  }

  /** Mean and log variance of q(z|x), [n, latent] each. */
  async encode(examples: Examples, options: CallOptions = {}): Promise<Encoded> {
    const own = () => this.#optionsOf(options, "encode", ["signal"]);
    return this.device.working(async () => this.#sampler.encode(examples, own()));
  }

  /** Examples [n, ...input] from latents [n, latent]; with `to` they stay on the GPU. */
  async decode(latents: Latents, options: CallOptions & IntoBuffer): Promise<undefined>;
  async decode(latents: Latents, options?: CallOptions): Promise<Float32Array>;
  async decode(latents: Latents, options: CallOptions & Partial<IntoBuffer> = {}): Promise<Float32Array | undefined> {
    const own = () => this.#optionsOf(options, "decode", ["signal", "to"]);
    return this.device.working(async () => this.#sampler.decode(latents, own()));
  }

  /** A conditional model's calls have one more. */
  #optionsOf<T extends CallOptions>(options: T, place: string, known: readonly (keyof T & string)[]): T {
    return optionsOf(options, place, this.spec.condition ? [...known, "condition"] : known);
  }

  /**
   * The weights as a safetensors file (docs/files.md: the names and layouts). With `trainingState` also the optimizer's
   * moments and where the run stands, so that a loaded VAE continues bit for bit. With `part` and `precision`, only one
   * part of the model, or rounded to f16. During a run, all of it is from one moment between two steps. After the device
   * was lost, it is the last copy that training made. Throws DOWNLOAD_FAILED if the library's files.js cannot be loaded
   * (a later call tries again); INVALID_OPTION, also for a weight beyond f16; UNSUPPORTED for more than the part that
   * this VAE was loaded with.
   */
  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const own = optionsOf(options, "save", ["trainingState", "part", "precision"]);
    return (await modelFiles()).saved(this.#runs, own);
  }

  /** The GPU memory of the VAE and its last training run. */
  memory(): MemoryReport {
    const { buffers, bytes } = this.device.allocated;
    return {
      parameters: this.model.parameters.reduce((sum, { tensor }) => sum + size(tensor.shape), 0),
      weightBytes: 4 * size(this.model.params.storage),
      deviceBytes: bytes,
      deviceBuffers: buffers,
      ...this.#runs.memory,
    };
  }

  /** Submits, steps and host time of the last training run, for benchmarks. */
  get counts(): Readonly<SchedulerCounts> | undefined {
    return this.#runs.counts;
  }

  /**
   * Frees all GPU memory, and the device if the VAE requested it itself. Calls under way reject with DISPOSED at once,
   * and nothing more is submitted. Safe to call twice.
   */
  dispose(): void {
    this.#standing.safe.clear();
    this.device.dispose();
  }

  /** Like `dispose`, at the end of a block that declares the VAE with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
