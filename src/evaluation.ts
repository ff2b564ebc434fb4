// The ELBO of a data set: every example once, in the data's own order, summed in f64.
import { abortable } from "./abort.js";
import { checkData, uploadData, type ResidentData } from "./data/upload.js";
import type { Dataset } from "./data/dataset.js";
import type { Device } from "./device.js";
import { Executable } from "./executable.js";
import type { ModelBuffers } from "./model_buffers.js";
import { optionsOf, wholeNumber } from "./options.js";
import { fittingBatch, plan, tensorBytes } from "./plan.js";
import { seedKey, Stream } from "./random.js";
import { ringSlots, Scheduler, type Chunk, type Step } from "./scheduler.js";
import type { Graph } from "./graph.js";
import type { Schedule } from "./ops/op.js";
import { padTo4 } from "./tensor.js";
import { scheduleOf } from "./products.js";
import type { Tuner } from "./tuner.js";
import { flats, type Model } from "./parameters.js";
import { checkPart } from "./part.js";
import { evaluationGraph } from "./vae.js";
import type { WeightsLock } from "./weights_lock.js";

/** Nats per example: sums over pixels and latent dimensions, averaged over examples. */
export interface Terms {
  /** -(reconstruction + kl): a lower bound on log p(x), whatever weight beta the training gives the KL term. */
  readonly elbo: number;
  /** -log p(x|z), one draw of z an example. */
  readonly reconstruction: number;
  readonly kl: number;
  /** [latent], what each latent adds to `kl`: about 0 for a latent that the model does not use. */
  readonly klPerLatent: Float32Array;
}

/** How an ELBO is estimated. */
export interface EvaluationOptions {
  /** Keys the draws of z (and of the pixels, with `binarise`). The same seed gives the same figures. Default 0. */
  readonly seed?: number;
  /** Draws of z per example; the terms are averaged over them. Default 1. */
  readonly samples?: number;
  /** Pixels become 0 or 1, with their value as the probability. Default false. */
  readonly binarise?: boolean;
  readonly signal?: AbortSignal;
}

/** The ELBO of each example and its two terms, in nats. */
export interface Scores {
  /** [count], -(reconstruction + kl): a lower bound on log p(x) of each example. Their mean is what `elbo` returns. */
  readonly elbo: Float32Array;
  readonly reconstruction: Float32Array;
  readonly kl: Float32Array;
  /** How many steps the weights had been trained. */
  readonly step: number;
}

/** Sums of a run's steps, in f64. */
export class TermSums {
  #reconstruction = 0;
  readonly #kl: Float64Array;
  #examples = 0;
  /** Log variances outside their limits. */
  clamped = 0;

  constructor(latent: number) {
    this.#kl = new Float64Array(latent);
  }

  /** Adds row `index` of the rings, which a step with this number of examples wrote. */
  add(rows: Chunk["rows"], index: number, examples: number): this {
    const kl = this.#kl;
    const nats = rows.kl?.[index] ?? [];
    for (const value of rows.reconstruction?.[index] ?? []) this.#reconstruction += value;
    for (let row = 0; row < nats.length; row += padTo4(kl.length)) {
      for (let j = 0; j < kl.length; j++) kl[j]! += nats[row + j]!;
    }
    for (const count of rows.clamped?.[index] ?? []) this.clamped += count;
    this.#examples += examples;
    return this;
  }

  merge(other: TermSums): void {
    this.#reconstruction += other.#reconstruction;
    other.#kl.forEach((nats, j) => (this.#kl[j]! += nats));
    this.clamped += other.clamped;
    this.#examples += other.#examples;
  }

  get terms(): Terms {
    const reconstruction = this.#reconstruction / this.#examples;
    const each = this.#kl.map((nats) => nats / this.#examples);
    const kl = each.reduce((sum, nats) => sum + nats, 0);
    return { elbo: -(reconstruction + kl), reconstruction, kl, klPerLatent: Float32Array.from(each) };
  }
}

/** A model on a device. */
export interface RunParts {
  readonly device: Device;
  readonly model: Model;
  readonly buffers: ModelBuffers;
  readonly tuner: Tuner;
  readonly lock: WeightsLock;
  /** How many steps the weights on the GPU are trained once everything submitted has run. */
  readonly stepsDone: () => number;
}

/** The most examples evaluated at once. */
const BATCH = 256;

/** A data set made ready to be evaluated again and again with a model's current weights. */
export class Evaluation {
  private constructor(
    private readonly device: Device,
    private readonly data: ResidentData,
    private readonly executable: Executable,
    private readonly scheduler: Scheduler,
    private readonly batch: number,
    private readonly latent: number,
  ) {}

  /** Throws INVALID_DATA before anything is allocated, LIMIT_EXCEEDED, OUT_OF_MEMORY. */
  static async create(
    { device, model, buffers, tuner }: RunParts,
    dataset: Dataset,
    options: { binarise?: boolean } = {},
    submitMs?: number,
  ): Promise<Evaluation> {
    checkData(dataset, model.resolved.spec.input, { unitInterval: !!model.likelihood.type.link, ...options });
    const undo: (() => void)[] = [];
    try {
      const data = await uploadData(device, dataset);
      undo.push(() => device.release(data.buffer));
      const graphOf = (size: number) => evaluationGraph(model, data.tensor, { batch: size, ...options });
      // The figures don't depend on it: noise is drawn by example.
      const most = Math.min(BATCH, data.count);
      const batch = fittingBatch(most, (size) => planWithRings(graphOf(size), model, {}).plan, device.gpu.limits) || 1;
      const graph = graphOf(batch);
      const choices = await tuner.choose(graph);
      const executable = await Executable.create(device, planWithRings(graph, model, choices), {
        ...buffers.inference,
        [data.tensor.name]: data.buffer,
      });
      undo.push(() => executable.dispose());
      const scheduler = await Scheduler.create(device, [executable], ["reconstruction", "kl"], { submitMs });
      return new Evaluation(device, data, executable, scheduler, batch, model.resolved.spec.latent);
    } catch (error) {
      for (const release of undo.reverse()) release();
      throw error;
    }
  }

  /** Both terms, means over draws and examples, in nats. */
  async run(options: EvaluationOptions = {}): Promise<Terms> {
    const sums = new TermSums(this.latent);
    await this.#each(options, (rows, index, step) => sums.add(rows, index, step.rows));
    return sums.terms;
  }

  /** Both terms of each example, [count], means over the draws, in nats. */
  async scores(options: EvaluationOptions = {}): Promise<Record<"reconstruction" | "kl", Float64Array>> {
    const scores = { reconstruction: new Float64Array(this.data.count), kl: new Float64Array(this.data.count) };
    await this.#each(options, (rows, index, { first_row, rows: count }) => {
      for (const name of ["reconstruction", "kl"] as const) {
        const parts = rows[name]![index]!;
        const each = parts.length / this.batch;
        for (let i = 0; i < count * each; i++) {
          scores[name][first_row + Math.floor(i / each)]! += parts[i]! / (options.samples ?? 1);
        }
      }
    });
    return scores;
  }

  /** Runs all steps and calls `use` with each one's row in the rings. */
  async #each(
    { seed = 0, samples = 1, signal }: EvaluationOptions,
    use: (rows: Chunk["rows"], index: number, step: Step) => void,
  ): Promise<void> {
    for await (const { steps, rows } of this.scheduler.run(this.#steps(seed, samples), signal)) {
      steps.forEach((step, index) => use(rows, index, step));
    }
  }

  *#steps(seed: number, samples: number): Generator<Step> {
    const [seed_low, seed_high] = seedKey(seed);
    const { batch } = this;
    for (let sample = 0; sample < samples; sample++) {
      for (let first_row = 0; first_row < this.data.count; first_row += batch) {
        const rows = Math.min(batch, this.data.count - first_row);
        yield { ...idleStep, seed_low, seed_high, first_row, rows, sample, stream: Stream.evaluation };
      }
    }
  }

  dispose(): void {
    this.scheduler.dispose();
    this.executable.dispose();
    this.device.release(this.data.buffer);
  }
}

const evaluating = ["seed", "samples", "binarise", "signal"] as const;
/** Draws of z per example: this many take a fast GPU hours and give the mean to a thousandth of its spread. */
const MOST_SAMPLES = 2 ** 20;

/** The result of `use` on a data set, during which no training step changes the weights. */
export function evaluated<T>(
  parts: RunParts,
  place: string,
  data: Dataset,
  options: EvaluationOptions,
  use: (evaluation: Evaluation, step: number, own: EvaluationOptions) => Promise<T>,
): Promise<T> {
  return parts.device.working(async () => {
    checkPart(parts.model.only, place);
    const own = optionsOf(options, place, evaluating);
    const { samples = 1, binarise = false, signal } = own;
    wholeNumber("samples", samples, MOST_SAMPLES);
    const created = Evaluation.create(parts, data, { binarise });
    const evaluation = await abortable(signal, created, (late) => late.dispose());
    try {
      const { lock, stepsDone } = parts;
      return await abortable(
        signal,
        lock.reading(() => use(evaluation, stepsDone(), own)),
      );
    } finally {
      evaluation.dispose();
    }
  });
}

/** A Step for what does not train. */
export const idleStep: Step = {
  seed_low: 0,
  seed_high: 0,
  step: 0,
  epoch: 0,
  first_row: 0,
  rows: 1,
  stream: Stream.evaluation,
  sample: 0,
  gradient_scale: 1,
  knobs: { noise: 1 },
};

/** A plan whose rings hold as many steps as a submit may. */
export function planWithRings(
  graph: Graph,
  model: Model,
  choices: Readonly<Record<string, Schedule>>,
  half = false,
): ReturnType<typeof plan> {
  const outputs = new Map(
    graph.nodes.flatMap((node) => Object.values(node.outputs)).map((tensor) => [tensor.name, tensor]),
  );
  let rowBytes = 0;
  for (const tensor of outputs.values()) if (tensor.role === "ring") rowBytes += tensorBytes(tensor);
  return plan(graph, { flats: flats(model), slots: ringSlots(rowBytes), schedule: scheduleOf(choices), half });
}
