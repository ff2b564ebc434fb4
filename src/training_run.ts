// A run of epochs: its GPU objects, the reports, the evaluation after each epoch, and the stop when a loss or gradient
// isn't finite. All of a step happens on the GPU.
import { abortable } from "./abort.js";
import { advised } from "./advice.js";
import { checkData, needsOf, uploadData, type ResidentData } from "./data/upload.js";
import type { Dataset } from "./data/dataset.js";
import { WebvaeError } from "./errors.js";
import { Evaluation, planWithRings, type RunParts } from "./evaluation.js";
import { Executable } from "./executable.js";
import { extras } from "./extras.js";
import type { Graph, Term } from "./graph.js";
import { layersFile } from "./layers_file.js";
import type { Schedule } from "./ops/op.js";
import { checkBatch, type Plan } from "./plan.js";
import { placeIn } from "./progress.js";
import { Scheduler, type Chunk, type SchedulerCounts, type Step } from "./scheduler.js";
import { checkOptions, withSchedules, type CheckedOptions, type TrainingOptions } from "./training_options.js";
import type { TrainingReport } from "./training_report.js";
import { after, batchesFor, enter, epochSteps, type Batches, type Standing } from "./training_steps.js";
import { TermSums } from "./scores.js";
import { trainingGraph } from "./vae.js";

interface Made {
  readonly data: ResidentData;
  /** Plans bound to the GPU: for the batch size, and for that of the last, smaller batch if there is one. */
  readonly executables: readonly Executable[];
  /** The terms of a whole batch. */
  readonly terms: readonly Term[];
  readonly scheduler: Scheduler;
  readonly test: Evaluation | undefined;
}

/** Everything that a run needs on the GPU, made before its first step. */
export class TrainingRun {
  #skipped = 0;
  /** Steps in a row that changed nothing. */
  #skippedNow = 0;
  #clampedShare = 0;

  private constructor(
    private readonly parts: RunParts,
    private readonly dataset: Dataset,
    private readonly options: CheckedOptions,
    private readonly batches: Batches,
    private readonly signal: AbortSignal | undefined,
    private readonly made: Made,
    /** Which schedule each product runs. */
    readonly schedules: Readonly<Record<string, Schedule>>,
    private readonly startedAt: number,
    private readonly notes: readonly string[],
    private readonly standing: Standing,
  ) {}

  /**
   * Throws INVALID_OPTION, INVALID_DATA and UNSUPPORTED before anything is allocated; LIMIT_EXCEEDED, OUT_OF_MEMORY.
   * The run keeps `standing` up to date.
   */
  static async create(
    parts: RunParts,
    dataset: Dataset,
    trainingOptions: TrainingOptions,
    standing: Standing,
    fixed: Readonly<Record<string, Schedule>> = {},
  ): Promise<TrainingRun> {
    const startedAt = performance.now();
    const { device, model, buffers, tuner, lock } = parts;
    const { test, signal, binarise = false } = trainingOptions;
    const { input, condition } = model.resolved.spec;
    const use = { ...needsOf(model), binarise };
    checkData(dataset, input, use);
    const options = checkOptions(
      await device.wait("loading layers.js", () => withSchedules(trainingOptions)),
      dataset,
      standing.progress,
    );
    extras?.checkSmallestBatch(options.batchSize, model);
    if (options.half && !device.gpu.features.has("shader-f16")) {
      throw new WebvaeError(
        "UNSUPPORTED",
        `precision "f16" needs the feature shader-f16, which the device on ${device.adapterName} lacks`,
      );
    }
    if (test !== undefined) checkData(test, input, { ...use, what: "test set" });
    signal?.throwIfAborted();
    const { batchSize: batch, shuffle, half, submitMs, dropLast } = options;
    const { batches, notes } = batchesFor(dataset.count, options, model);
    const undo: (() => void)[] = [];
    try {
      const data = await uploadData(device, dataset, condition);
      undo.push(() => data.release());
      const graphOf = (size: number) =>
        trainingGraph(
          model,
          data.tensor,
          { batch: size, shuffle, binarise, labels: data.labels, objective: options.objective },
          options.adam,
          half,
        );
      checkBatch(batch, (size) => planWithRings(graphOf(size), model, {}, half).plan, device.gpu.limits);
      const given = { ...(await buffers.training()), ...data.buffers };
      const graph = graphOf(batch);
      const schedules = { ...(await tuner.choose(graph, fixed, half)) };
      const executables: Executable[] = [];
      const bind = async (of: Graph, more: Readonly<Record<string, GPUBuffer>>) => {
        const planned = planWithRings(of, model, schedules, half);
        const executable = await Executable.create(device, planned, { ...given, ...fitting(more, planned.plan) });
        undo.push(() => executable.dispose());
        executables.push(executable);
        return executable;
      };
      const first = await bind(graph, {});
      if (batches.rest > 0) {
        const small = graphOf(batches.rest);
        Object.assign(schedules, tuner.likewise(small, graph, schedules, fixed));
        await bind(small, Object.fromEntries(first.buffers));
      }
      // Loaded with the option.
      if (half) await (await layersFile()).halveWeights(parts, first);
      const scheduler = await Scheduler.create(
        device,
        executables,
        [...graph.terms!.map(({ value }) => value.name), "clamped", "norms"],
        {
          submitMs,
          lock,
          partOf: ({ rows }) => (rows === batch ? 0 : 1),
          submitted: (steps) => (standing.progress = after(standing.progress, batches, steps.at(-1)!)),
        },
      );
      undo.push(() => scheduler.dispose());
      const evaluation = test && (await Evaluation.create(parts, test, { binarise }, submitMs));
      buffers.resume();
      enter(standing, placeIn(dataset, `${batch} ${shuffle} ${dropLast}`), batches, dropLast);
      const made = { data, executables, terms: graph.terms!, scheduler, test: evaluation };
      return new TrainingRun(parts, dataset, options, batches, signal, made, schedules, startedAt, notes, standing);
    } catch (error) {
      for (const release of undo.reverse()) release();
      throw error;
    }
  }

  get counts(): SchedulerCounts {
    return this.made.scheduler.counts;
  }

  /** The plan of a whole batch. */
  get plan(): Plan {
    return this.made.executables[0]!.plan;
  }

  /** Runs every epoch. Throws the signal's reason, DEVICE_LOST, NON_FINITE, INVALID_OPTION (from a schedule). */
  async *reports(): AsyncGenerator<TrainingReport, void, undefined> {
    const { epochs } = this.options;
    const { stepsPerEpoch } = this.batches;
    const { safe } = this.standing;
    const progress = () => this.standing.progress;
    // The weights at the start are always safe to go back to.
    await abortable(this.signal, safe.take(progress, true));
    // A run that was broken off within an epoch continues there.
    const steps = Math.min(epochs * stepsPerEpoch - progress().epochStep, this.options.steps);
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const epochStart = performance.now();
      const epochSums = this.#sums();
      const first = progress();
      let last: TrainingReport | undefined;
      const source = epochSteps(first, this.batches, this.options, steps - step);
      for await (const chunk of this.made.scheduler.run(source, this.signal)) {
        const report = { ...(await this.#report(chunk, epochSums)), epoch, epochs, steps };
        step += chunk.steps.length;
        const next = after(first, this.batches, chunk.steps.at(-1)!);
        if (this.#skippedNow === 0) safe.good(next.step, progress);
        const noted = step === chunk.steps.length && this.notes.length > 0 ? { notes: this.notes } : {};
        // The epoch's last report waits for the epoch's own figures.
        if (next.epoch === first.epoch) yield { ...report, ...noted, step };
        else last = { ...report, ...noted, step };
      }
      // Enough steps, and the epoch is not at its end.
      if (last) {
        const seconds = (performance.now() - epochStart) / 1000;
        const { seed } = progress();
        const test = await this.made.test?.run({ seed, ...(this.signal ? { signal: this.signal } : {}) });
        yield { ...last, epochEnd: { train: epochSums.terms, ...(test ? { test } : {}), seconds } };
      }
      if (step >= steps) break;
    }
    await abortable(this.signal, safe.take(progress, true));
  }

  #sums(): TermSums {
    return new TermSums(this.made.terms, this.batches.size);
  }

  /** Adds the steps to `all`. Throws NON_FINITE if a loss isn't finite, or too many steps in a row changed nothing. */
  async #report(chunk: Chunk, all: TermSums): Promise<Omit<TrainingReport, "epoch" | "epochs" | "step" | "steps">> {
    const { steps, rows, stepMs } = chunk;
    const given = this.made.terms;
    const sums = this.#sums();
    let norms = 0;
    /** The mean weight of each term in the objective. */
    const weights = given.map(({ knob }) => (knob ? mean(steps.map(({ knobs }) => knobs[knob] ?? 1)) : 0));
    let finite = 0;
    let latents = 0;
    for (const [index, step] of steps.entries()) {
      const own = this.#sums().add(rows, index, step.rows);
      const bad = [own.terms.elbo, ...own.means].find((value) => !Number.isFinite(value));
      if (bad !== undefined) await this.#haltedAt(step, bad);
      sums.merge(own);
      latents += step.rows * this.parts.model.resolved.spec.latent;
      const square = rows.norms?.[index]?.reduce((sum, part) => sum + part, 0) ?? 0;
      if (Number.isFinite(square)) {
        norms += Math.sqrt(square);
        finite++;
        this.#skippedNow = 0;
      } else {
        this.#skipped++;
        if (++this.#skippedNow >= this.options.maxSkipped) await this.#ranAway(step);
      }
    }
    all.merge(sums);
    const { means } = sums;
    this.#clampedShare = sums.clamped / latents;
    return {
      ...sums.terms,
      terms: Object.fromEntries(given.map(({ name }, i) => [name, means[i]!])),
      objective: means.reduce((total, value, i) => total + weights[i]! * value, 0),
      gradientNorm: finite > 0 ? norms / finite : NaN,
      skipped: this.#skipped,
      clamped: this.#clampedShare,
      stepsPerSecond: 1000 / stepMs,
      seconds: (performance.now() - this.startedAt) / 1000,
    };
  }

  /** The kernels have kept the weights from before the first such loss; this names it and gives up. */
  async #haltedAt(step: Step, loss: number): Promise<never> {
    const { where, remedy } = await this.#advice(step);
    const { size } = this.batches;
    this.standing.progress = {
      ...this.standing.progress,
      step: step.step,
      epoch: step.epoch,
      epochStep: step.first_row / size,
    };
    throw new WebvaeError(
      "NON_FINITE",
      `the loss became ${loss} at step ${step.step} (epoch ${step.epoch + 1})${where}. ` +
        `The weights are those from before that step.${remedy}`,
    );
  }

  /** After so many skipped steps all later ones would be skipped too, since the weights are too large. */
  async #ranAway(step: Step): Promise<never> {
    const { where, remedy } = await this.#advice(step);
    const { safe } = this.standing;
    const count = this.#skippedNow;
    const said = `${count} steps in a row, up to step ${step.step} (epoch ${step.epoch + 1}), changed nothing because their gradient was not finite${where}`;
    let kept = "The weights are those from before these steps";
    if (safe.kept) {
      this.parts.buffers.restore(safe.kept.snapshot);
      this.standing.progress = safe.kept.progress;
      kept = `The weights are those after ${safe.kept.progress.step} steps, the last copy with a finite loss`;
    }
    throw new WebvaeError("NON_FINITE", `${said}. ${kept}.${remedy}`);
  }

  /** Where `step` went wrong, and what to try: parts of an error message, empty if what finds them cannot be loaded. */
  async #advice(step: Step): Promise<{ where: string; remedy: string }> {
    const executable = this.made.executables[step.rows === this.batches.size ? 0 : 1]!;
    const advice = await advised(async ({ firstNonFinite, remedy }) => {
      const found = await firstNonFinite(this.parts.device, executable, { ...step, slot: 0 });
      return {
        where: found ? `; the first tensor with such a value is ${found.tensor}, made by ${found.op}` : "",
        remedy: ` ${remedy(this.dataset, step.step, step.knobs.learning_rate!, this.#clampedShare)}`,
      };
    });
    return advice ?? { where: "", remedy: "" };
  }

  dispose(): void {
    const { scheduler, test, executables, data } = this.made;
    scheduler.dispose();
    test?.dispose();
    for (const executable of executables) executable.dispose();
    data.release();
  }
}

const mean = (values: readonly number[]) => values.reduce((total, value) => total + value / values.length, 0);

/** The buffers of another plan that this one can share, as the two never run at once. Rings are not shared. */
function fitting(buffers: Readonly<Record<string, GPUBuffer>>, { buffers: planned }: Plan): Record<string, GPUBuffer> {
  return Object.fromEntries(
    Object.entries(buffers).filter(([name, { size }]) => {
      const wanted = planned[name];
      return wanted && wanted.kind !== "ring" && wanted.bytes <= size;
    }),
  );
}
