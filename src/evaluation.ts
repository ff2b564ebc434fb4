// The ELBO of a data set: every example once, in the data's own order, summed in f64.
import { checkData, uploadData, type ResidentData } from "./data/upload.js";
import type { Dataset } from "./data/dataset.js";
import type { Device } from "./device.js";
import { Executable } from "./executable.js";
import type { ModelBuffers } from "./model_buffers.js";
import { fittingBatch, plan, tensorBytes } from "./plan.js";
import { seedKey, Stream } from "./random.js";
import { ringSlots, Scheduler, type Chunk, type Step } from "./scheduler.js";
import type { Graph } from "./graph.js";
import type { Schedule } from "./ops/op.js";
import { scheduleOf, type Tuner } from "./tuner.js";
import { flats, type Model } from "./parameters.js";
import { evaluationGraph } from "./vae.js";
import type { WeightsLock } from "./weights_lock.js";

/** Nats per example: sums over pixels and latent dimensions, averaged over examples. */
export interface Terms {
  /** -(reconstruction + kl): a lower bound on log p(x), whatever weight beta the training gives the KL term. */
  readonly elbo: number;
  /** -log p(x|z), one draw of z an example. */
  readonly reconstruction: number;
  readonly kl: number;
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

/** Each example's share of a data set's ELBO, in nats. */
export interface Scores {
  /** -(reconstruction + kl) of each example: a lower bound on its log p(x). Their mean is what `elbo` gives. */
  readonly elbo: Float32Array;
  readonly reconstruction: Float32Array;
  readonly kl: Float32Array;
  /** Steps that the weights had been trained for. */
  readonly step: number;
}

/** Sums of a run's steps, in f64. */
export class TermSums {
  #reconstruction = 0;
  #kl = 0;
  #examples = 0;
  /** Log variances outside their limits. */
  clamped = 0;

  add(rows: Chunk["rows"], index: number, examples: number): void {
    for (const value of rows.reconstruction?.[index] ?? []) this.#reconstruction += value;
    const kl = rows.kl?.[index] ?? [];
    for (let i = 0; i + 1 < kl.length; i += 2) {
      this.#kl += kl[i] ?? 0;
      this.clamped += kl[i + 1] ?? 0;
    }
    this.#examples += examples;
  }

  get terms(): Terms {
    const reconstruction = this.#reconstruction / this.#examples;
    const kl = this.#kl / this.#examples;
    return { elbo: -(reconstruction + kl), reconstruction, kl };
  }
}

/** A model on a device. */
export interface RunParts {
  readonly device: Device;
  readonly model: Model;
  readonly buffers: ModelBuffers;
  readonly tuner: Tuner;
  readonly lock: WeightsLock;
  /** Steps that the weights on the GPU are trained for once what is submitted has run. */
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
  ) {}

  /** Throws INVALID_DATA before anything is allocated, LIMIT_EXCEEDED, OUT_OF_MEMORY. */
  static async create(
    { device, model, buffers, tuner }: RunParts,
    dataset: Dataset,
    options: { binarise?: boolean } = {},
    submitMs?: number,
  ): Promise<Evaluation> {
    checkData(dataset, model.resolved.spec.input, { unitInterval: !model.logSigma, ...options });
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
      return new Evaluation(device, data, executable, scheduler, batch);
    } catch (error) {
      for (const release of undo.reverse()) release();
      throw error;
    }
  }

  /** Means over the examples. */
  async run(options: EvaluationOptions = {}): Promise<Terms> {
    const { reconstruction, kl } = await this.scores(options);
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const terms = { reconstruction: mean(reconstruction), kl: mean(kl) };
    return { elbo: -(terms.reconstruction + terms.kl), ...terms };
  }

  /** Both terms of each example, means over the draws, in nats. */
  async scores(options: EvaluationOptions = {}): Promise<Record<"reconstruction" | "kl", Float64Array>> {
    const { seed = 0, samples = 1, signal } = options;
    const { count } = this.data;
    const scores = { reconstruction: new Float64Array(count), kl: new Float64Array(count) };
    for await (const chunk of this.scheduler.run(this.#steps(seed, samples), signal)) {
      chunk.steps.forEach(({ first_row, rows }, index) => {
        const parts = (name: string) => chunk.rows[name]![index]!;
        addParts(scores.reconstruction, parts("reconstruction"), { first_row, rows, batch: this.batch }, 1 / samples);
        addParts(scores.kl, parts("kl"), { first_row, rows, batch: this.batch, every: 2 }, 1 / samples);
      });
    }
    return scores;
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

/** Adds to each example of a step the `parts` that its row has: every one, or the first of `every` so many. */
function addParts(
  scores: Float64Array,
  parts: Float32Array,
  step: { readonly first_row: number; readonly rows: number; readonly batch: number; readonly every?: number },
  weight: number,
): void {
  const { first_row, rows, batch, every = 1 } = step;
  const each = parts.length / batch;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < each; i += every) sum += parts[row * each + i]!;
    scores[first_row + row]! += weight * sum;
  }
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
  learning_rate: 0,
  beta: 1,
  noise: 1,
  gradient_scale: 1,
  correction1: 1,
  correction2: 1,
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
  for (const tensor of outputs.values()) if (tensor.role === "output") rowBytes += tensorBytes(tensor);
  return plan(graph, { flats: flats(model), slots: ringSlots(rowBytes), schedule: scheduleOf(choices), half });
}
