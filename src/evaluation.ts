// The ELBO of a data set, or a tighter bound: every example once, in the data's own order, summed in f64.
import { abortable } from "./abort.js";
import { checkData, needsOf, uploadData, type ResidentData } from "./data/upload.js";
import type { Dataset } from "./data/dataset.js";
import type { Device } from "./device.js";
import { Executable } from "./executable.js";
import type { ModelBuffers } from "./model_buffers.js";
import { optionsOf, wholeNumber } from "./options.js";
import { fittingBatch, plan, tensorBytes } from "./plan.js";
import { seedKey, Stream } from "./random.js";
import { ringSlots, Scheduler, type Chunk, type Step } from "./scheduler.js";
import type { Graph, Term } from "./graph.js";
import type { MergedBounds } from "./log_likelihood.js";
import type { Chosen } from "./objectives/index.js";
import type { Schedule } from "./ops/op.js";
import { scheduleOf } from "./products.js";
import type { Tuner } from "./tuner.js";
import { flats, type Model } from "./parameters.js";
import { checkPart } from "./part.js";
import { isKl, TermSums, type Scores, type Terms } from "./scores.js";
import { evaluationGraph, type BatchOptions } from "./vae.js";
import type { WeightsLock } from "./weights_lock.js";

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

/** The most examples evaluated at once, and the most draws of them. */
const BATCH = 256;
const MOST_ROWS = 4096;

/** A data set made ready to be evaluated again and again with a model's current weights. */
export class Evaluation {
  private constructor(
    private readonly data: ResidentData,
    private readonly executable: Executable,
    private readonly scheduler: Scheduler,
    private readonly batch: number,
    private readonly terms: readonly Term[],
    private readonly copies: number,
  ) {}

  /** Throws INVALID_DATA before anything is allocated, LIMIT_EXCEEDED, OUT_OF_MEMORY. */
  static async create(
    { device, model, buffers, tuner }: RunParts,
    dataset: Dataset,
    options: Pick<BatchOptions, "binarise" | "objective"> = {},
    submitMs?: number,
  ): Promise<Evaluation> {
    const { spec } = model.resolved;
    checkData(dataset, spec.input, { ...needsOf(model), binarise: options.binarise });
    const undo: (() => void)[] = [];
    try {
      const data = await uploadData(device, dataset, spec.condition);
      undo.push(() => data.release());
      const { objective } = options;
      const copies = objective?.type.copies(objective.json) ?? 1;
      const graphOf = (size: number) =>
        evaluationGraph(model, data.tensor, { batch: size, labels: data.labels, drawnOnce: !!objective, ...options });
      // The figures don't depend on it: noise is drawn by example.
      const most = Math.min(Math.max(1, Math.floor(MOST_ROWS / copies)), BATCH, data.count);
      const batch = fittingBatch(most, (size) => planWithRings(graphOf(size), model, {}).plan, device.gpu.limits) || 1;
      const graph = graphOf(batch);
      const choices = await tuner.choose(graph);
      const executable = await Executable.create(device, planWithRings(graph, model, choices), {
        ...buffers.inference,
        ...data.buffers,
      });
      undo.push(() => executable.dispose());
      const terms = graph.terms!;
      const read = objective ? ["bound", "squares"] : terms.map(({ value }) => value.name);
      const scheduler = await Scheduler.create(device, [executable], read, { submitMs });
      return new Evaluation(data, executable, scheduler, batch, terms, copies);
    } catch (error) {
      for (const release of undo.reverse()) release();
      throw error;
    }
  }

  /** The ELBO's terms, means over draws and examples, in nats. */
  async run(options: EvaluationOptions = {}): Promise<Terms> {
    const sums = new TermSums(this.terms, this.batch);
    await this.#each(options, (rows, index, step) => sums.add(rows, index, step.rows));
    return sums.terms;
  }

  /** The ELBO and both terms of each example, [count], means over the draws, in nats. */
  async scores(options: EvaluationOptions = {}): Promise<Omit<Scores, "step">> {
    const scores = { reconstruction: new Float64Array(this.data.count), kl: new Float64Array(this.data.count) };
    await this.#each(options, (rows, index, { first_row, rows: count }) => {
      for (const { name, value } of this.terms) {
        const parts = rows[value.name]![index]!;
        const each = parts.length / this.batch;
        const into = scores[isKl(name) ? "kl" : "reconstruction"];
        for (let i = 0; i < count * each; i++) {
          into[first_row + Math.floor(i / each)]! += parts[i]! / (options.samples ?? 1);
        }
      }
    });
    const [reconstruction, kl] = [Float32Array.from(scores.reconstruction), Float32Array.from(scores.kl)];
    return { elbo: Float32Array.from(scores.kl, (nats, i) => -(nats + scores.reconstruction[i]!)), reconstruction, kl };
  }

  /** Of an objective's bound: adds what each step says of each example to `merged`. */
  async bounds(options: EvaluationOptions, merged: MergedBounds): Promise<void> {
    const { samples = 1 } = options;
    await this.#each(options, ({ bound, squares }, index, { first_row, rows, sample }) => {
      const draws = Math.min(this.copies, samples - sample);
      for (let i = 0; i < rows; i++) {
        merged.add(first_row + i, { draws, bound: bound![index]![i]!, squares: squares![index]![i]! });
      }
    });
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
    const { batch, copies } = this;
    for (let sample = 0; sample < samples; sample += copies) {
      const knobs = { noise: 1, draws: Math.min(copies, samples - sample) };
      for (let first_row = 0; first_row < this.data.count; first_row += batch) {
        const rows = Math.min(batch, this.data.count - first_row);
        yield { ...idleStep, seed_low, seed_high, first_row, rows, sample, knobs, stream: Stream.evaluation };
      }
    }
  }

  dispose(): void {
    this.scheduler.dispose();
    this.executable.dispose();
    this.data.release();
  }
}

const evaluating = ["seed", "samples", "binarise", "signal"] as const;
/** Draws of z per example: this many take a fast GPU hours and give the mean to a thousandth of its spread. */
const MOST_SAMPLES = 2 ** 20;

/** Draws of each example that a bound is made of, by default. */
const DRAWS = 100;

/**
 * The result of `use` on a data set, during which no training step changes the weights. With `bounding`, an objective for
 * so many draws, of its bound.
 */
export function evaluated<T>(
  parts: RunParts,
  place: string,
  data: Dataset,
  options: EvaluationOptions,
  use: (evaluation: Evaluation, step: number, own: EvaluationOptions) => Promise<T>,
  bounding?: (samples: number) => Chosen,
): Promise<T> {
  return parts.device.working(async () => {
    checkPart(parts.model.only, place);
    const given = optionsOf(options, place, evaluating);
    const { samples = bounding ? DRAWS : 1, binarise = false, signal } = given;
    const own = { ...given, samples };
    wholeNumber("samples", samples, MOST_SAMPLES);
    const objective = bounding?.(samples);
    const created = Evaluation.create(parts, data, { binarise, objective });
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
