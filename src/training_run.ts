// A run of epochs: the batches' Steps, the reports, the evaluation after each epoch, and the stop at a loss that
// isn't finite. All of a step happens on the GPU.
import type { Progress } from "./checkpoint.js";
import { checkData, uploadData, type ResidentData } from "./data/upload.js";
import type { Dataset } from "./data/dataset.js";
import { firstNonFinite } from "./debug.js";
import { WebvaeError } from "./errors.js";
import { Evaluation, planWithRings, TermSums, type RunParts, type Terms } from "./evaluation.js";
import { Executable } from "./executable.js";
import type { Graph } from "./graph.js";
import type { Schedule } from "./ops/op.js";
import { checkBatch } from "./plan.js";
import { seedKey, Stream } from "./random.js";
import { Scheduler, type Chunk, type SchedulerCounts, type Step } from "./scheduler.js";
import { checkSmallestBatch } from "./smallest_batch.js";
import { checkOptions, scheduled, type CheckedOptions, type TrainingOptions } from "./training_options.js";
import { HALF_WEIGHTS } from "./tensor.js";
import { flats } from "./parameters.js";
import { plan } from "./plan.js";
import { halvingGraph, trainingGraph } from "./vae.js";

/** Figures are means over the steps since the report before, in nats per example. */
export interface TrainingReport extends Terms {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this run, and steps that it will have. */
  readonly step: number;
  readonly steps: number;
  /** reconstruction + beta kl: what is minimised. */
  readonly objective: number;
  /** Norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
  /** Steps of this run that changed nothing because their gradient wasn't finite. */
  readonly skipped: number;
  /** Share of log variances outside [-10, 10]. */
  readonly clamped: number;
  readonly stepsPerSecond: number;
  /** Since the run began. */
  readonly seconds: number;
  /** At the end of an epoch: the means over all its steps, and the test set's figures where there is one. */
  readonly epochEnd?: { readonly train: Terms; readonly test?: Terms; readonly seconds: number };
}

/**
 * A power of two, so that it changes no digit: gradients of the batch's sum, not its mean, lie where f16 is precise. One
 * that overflows shows in the gradient's norm, and its step is skipped.
 */
const halfScale = (batch: number) => 2 ** Math.floor(Math.log2(batch));

/** Copies the weights in f16 to where the plan of `executable` reads them. */
async function halveWeights({ device, model, buffers }: RunParts, executable: Executable): Promise<void> {
  const planned = plan(halvingGraph(model), { flats: flats(model), half: true });
  const { buffer } = executable.locate(HALF_WEIGHTS);
  const once = await Executable.create(device, planned, { ...buffers.inference, [HALF_WEIGHTS]: buffer });
  const encoder = device.gpu.createCommandEncoder({ label: "halve" });
  const pass = encoder.beginComputePass();
  once.encode(pass, 0);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  once.dispose();
}

/** Everything that a run needs on the GPU, made before its first step. */
export class TrainingRun {
  readonly stepsPerEpoch: number;
  readonly #startedAt: number;
  #skipped = 0;

  private constructor(
    private readonly parts: RunParts,
    private readonly options: CheckedOptions,
    private readonly signal: AbortSignal | undefined,
    private readonly data: ResidentData,
    private readonly graph: Graph,
    readonly executable: Executable,
    private readonly scheduler: Scheduler,
    private readonly test: Evaluation | undefined,
    /** Which schedule each product runs. */
    readonly schedules: Readonly<Record<string, Schedule>>,
    /** Where the run stands: steps given to the GPU. */
    public progress: Progress,
    startedAt: number,
  ) {
    this.stepsPerEpoch = Math.floor(data.count / options.batchSize);
    this.#startedAt = startedAt;
  }

  static async create(
    parts: RunParts,
    dataset: Dataset,
    trainingOptions: TrainingOptions,
    progress: Progress,
    fixed: Readonly<Record<string, Schedule>> = {},
  ): Promise<TrainingRun> {
    const startedAt = performance.now();
    const { device, model, buffers, tuner } = parts;
    const { test, signal, binarise = false } = trainingOptions;
    const { input } = model.resolved.spec;
    const use = { unitInterval: !model.logSigma, binarise };
    checkData(dataset, input, use);
    const options = checkOptions(trainingOptions, dataset);
    checkSmallestBatch(options.batchSize, model);
    if (options.half && !device.gpu.features.has("shader-f16")) {
      throw new WebvaeError(
        "UNSUPPORTED",
        `precision "f16" needs the feature shader-f16, which the device on ${device.adapterName} has not`,
      );
    }
    if (test !== undefined) checkData(test, input, { ...use, what: "test set" });
    signal?.throwIfAborted();
    const undo: (() => void)[] = [];
    try {
      const data = await uploadData(device, dataset);
      undo.push(() => device.release(data.buffer));
      const { batchSize: batch, shuffle, half, submitMs } = options;
      const graphOf = (size: number) =>
        trainingGraph(model, data.tensor, { batch: size, shuffle, binarise }, options.adam, half);
      checkBatch(batch, (size) => planWithRings(graphOf(size), model, {}, half).plan, device.gpu.limits);
      const graph = graphOf(batch);
      const schedules = await tuner.choose(graph, fixed, half);
      const executable = await Executable.create(device, planWithRings(graph, model, schedules, half), {
        ...(await buffers.training()),
        [data.tensor.name]: data.buffer,
      });
      undo.push(() => executable.dispose());
      if (half) await halveWeights(parts, executable);
      const scheduler = await Scheduler.create(device, executable, ["reconstruction", "kl", "norms"], submitMs);
      undo.push(() => scheduler.dispose());
      const evaluation = test && (await Evaluation.create(parts, test, { binarise }, submitMs));
      buffers.resume();
      return new TrainingRun(
        parts,
        options,
        signal,
        data,
        graph,
        executable,
        scheduler,
        evaluation,
        schedules,
        progress,
        startedAt,
      );
    } catch (error) {
      for (const release of undo.reverse()) release();
      throw error;
    }
  }

  get counts(): SchedulerCounts {
    return this.scheduler.counts;
  }

  /** Runs every epoch. Throws the signal's reason, DEVICE_LOST, NON_FINITE, INVALID_OPTION (from a schedule). */
  async *reports(): AsyncGenerator<TrainingReport, void, undefined> {
    const { epochs } = this.options;
    // A run that was broken off within an epoch goes on there, if its epochs have the length they had.
    if (this.progress.epochStep >= this.stepsPerEpoch) this.#nextEpoch();
    const first = this.progress.epochStep;
    const steps = Math.min(epochs * this.stepsPerEpoch - first, this.options.steps);
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const epochStart = performance.now();
      const epochSums = new TermSums();
      let last: TrainingReport | undefined;
      for await (const chunk of this.scheduler.run(this.#epochSteps(steps - step), this.signal)) {
        await this.#stopIfNotFinite(chunk);
        step += chunk.steps.length;
        chunk.steps.forEach((one, index) => epochSums.add(chunk.rows, index, one.rows));
        const report = { ...this.#report(chunk), epoch, epochs, step, steps };
        // The epoch's last report waits for the epoch's own figures.
        const lastRow = (chunk.steps.at(-1)?.first_row ?? 0) + this.options.batchSize;
        if (lastRow < this.stepsPerEpoch * this.options.batchSize) yield report;
        else last = report;
      }
      // Enough steps, and the epoch is not at its end.
      if (!last) return;
      const seconds = (performance.now() - epochStart) / 1000;
      const test = await this.test?.run({ seed: this.progress.seed, ...(this.signal ? { signal: this.signal } : {}) });
      yield { ...last, epochEnd: { train: epochSums.terms, ...(test ? { test } : {}), seconds } };
      if (step >= steps) return;
    }
  }

  /** At most `most` of the steps that the epoch still has. */
  *#epochSteps(most: number): Generator<Step> {
    const { batchSize, adam, learningRate, beta, noise, half } = this.options;
    const { stepsPerEpoch } = this;
    const [seed_low, seed_high] = seedKey(this.progress.seed);
    const all = stepsPerEpoch - this.progress.epochStep;
    for (let left = all; left > Math.max(0, all - most); left--) {
      const { step, epoch, epochStep } = this.progress;
      const point = { epoch, step, stepsPerEpoch };
      const next: Step = {
        seed_low,
        seed_high,
        step,
        epoch,
        first_row: epochStep * batchSize,
        rows: batchSize,
        stream: Stream.training,
        sample: 0,
        learning_rate: scheduled("learningRate", learningRate, point),
        beta: scheduled("beta", beta, point),
        noise: scheduled("noise", noise, point),
        gradient_scale: half ? halfScale(batchSize) : 1,
        correction1: 1 / (1 - adam.beta1 ** (step + 1)),
        correction2: 1 / (1 - adam.beta2 ** (step + 1)),
      };
      this.progress = { ...this.progress, step: step + 1, epochStep: epochStep + 1 };
      // Whoever breaks off after the last step of an epoch has done that epoch.
      if (left === 1) this.#nextEpoch();
      yield next;
    }
  }

  #nextEpoch(): void {
    this.progress = { ...this.progress, epoch: this.progress.epoch + 1, epochStep: 0 };
  }

  #report({ steps, rows, stepMs }: Chunk): Omit<TrainingReport, "epoch" | "epochs" | "step" | "steps"> {
    const sums = new TermSums();
    let norms = 0;
    let beta = 0;
    let finite = 0;
    steps.forEach((step, index) => {
      sums.add(rows, index, step.rows);
      beta += step.beta / steps.length;
      const square = rows.norms?.[index]?.reduce((sum, part) => sum + part, 0) ?? 0;
      if (Number.isFinite(square)) {
        norms += Math.sqrt(square);
        finite++;
      } else this.#skipped++;
    });
    const { terms } = sums;
    const latents = this.parts.model.resolved.spec.latent * this.options.batchSize * steps.length;
    return {
      ...terms,
      objective: terms.reconstruction + beta * terms.kl,
      gradientNorm: finite > 0 ? norms / finite : NaN,
      skipped: this.#skipped,
      clamped: sums.clamped / latents,
      stepsPerSecond: 1000 / stepMs,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }

  /** The kernels have kept the weights from before the first such loss; this names it and gives up. */
  async #stopIfNotFinite({ steps, rows }: Chunk): Promise<void> {
    for (const [index, step] of steps.entries()) {
      const sums = new TermSums();
      sums.add(rows, index, step.rows);
      if (Number.isFinite(sums.terms.elbo)) continue;
      const found = await firstNonFinite(this.parts.device, this.executable, this.graph, { ...step, slot: 0 });
      const epochStep = step.first_row / this.options.batchSize;
      this.progress = { ...this.progress, step: step.step, epoch: step.epoch, epochStep };
      const where = found ? `; the first tensor with such a value is ${found.tensor}, made by ${found.op}` : "";
      throw new WebvaeError(
        "NON_FINITE",
        `the loss became ${sums.terms.elbo} at step ${step.step} (epoch ${step.epoch + 1})${where}. ` +
          `The weights are those from before that step. A smaller learning rate than ${step.learning_rate} may help.`,
      );
    }
  }

  dispose(): void {
    this.scheduler.dispose();
    this.test?.dispose();
    this.executable.dispose();
    this.parts.device.release(this.data.buffer);
  }
}
