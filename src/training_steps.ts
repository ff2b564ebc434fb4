// The Steps of a run: where it enters an epoch, which rows each Step has, and the values of its schedules.
import { extras } from "./extras.js";
import type { Model } from "./parameters.js";
import type { Progress } from "./progress.js";
import { seedKey, Stream } from "./random.js";
import type { SafePoints } from "./safe_points.js";
import type { Step } from "./scheduler.js";
import { scheduled, type CheckedOptions } from "./training_options.js";

/** How an epoch is cut into batches. */
export interface Batches {
  readonly size: number;
  /** Examples of the last, smaller batch; 0 where there is none. */
  readonly rest: number;
  readonly stepsPerEpoch: number;
}

/** `count` examples in batches of `size`, with a smaller last one if `keepRest`. */
export function batchesOf(count: number, size: number, keepRest: boolean): Batches {
  const full = Math.floor(count / size);
  const rest = keepRest ? count - full * size : 0;
  return { size, rest, stepsPerEpoch: full + (rest > 0 ? 1 : 0) };
}

/** Where a run stands after `step`. */
export function after(progress: Progress, { size, stepsPerEpoch }: Batches, step: Step): Progress {
  const epochStep = step.first_row / size + 1;
  const ends = epochStep >= stepsPerEpoch;
  return {
    ...progress,
    step: step.step + 1,
    epoch: ends ? step.epoch + 1 : step.epoch,
    epochStep: ends ? 0 : epochStep,
  };
}

/**
 * Scales gradients from the mean of the batch to about its sum, where f16 is precise; a power of two, so that no digit
 * changes. A gradient that overflows shows in the norm, and its step is skipped.
 */
const halfScale = (rows: number) => 2 ** Math.floor(Math.log2(rows));

/** The epoch's steps from `from` on, at most `most`. Throws INVALID_OPTION for a schedule's value. */
export function* epochSteps(from: Progress, batches: Batches, options: CheckedOptions, most: number): Generator<Step> {
  const { adam, learningRate, beta, noise, half } = options;
  const { size, rest, stepsPerEpoch } = batches;
  const [seed_low, seed_high] = seedKey(from.seed);
  const end = Math.min(stepsPerEpoch, from.epochStep + most);
  for (let epochStep = from.epochStep; epochStep < end; epochStep++) {
    const step = from.step + epochStep - from.epochStep;
    const point = { epoch: from.epoch, step, stepsPerEpoch };
    const rows = rest > 0 && epochStep === stepsPerEpoch - 1 ? rest : size;
    yield {
      seed_low,
      seed_high,
      step,
      epoch: from.epoch,
      first_row: epochStep * size,
      rows,
      stream: Stream.training,
      sample: 0,
      gradient_scale: half ? halfScale(rows) : 1,
      knobs: {
        learning_rate: scheduled("learningRate", learningRate, point),
        beta: scheduled("beta", beta, point),
        noise: scheduled("noise", noise, point),
        correction1: 1 / (1 - adam.beta1 ** (step + 1)),
        correction2: 1 / (1 - adam.beta2 ** (step + 1)),
      },
    };
  }
}

/** What outlives a run: the next one continues from it. */
export interface Standing {
  /** Where training stands, counting the steps submitted to the GPU. */
  progress: Progress;
  readonly safe: SafePoints;
}

/** Continues the epoch of the previous run if data and batches are the same; otherwise begins the next epoch. */
export function enter(standing: Standing, place: string, { stepsPerEpoch }: Batches, dropLast: boolean): void {
  const { progress } = standing;
  const { epoch, epochStep } = progress;
  const another = (progress.place ?? place) !== place || epochStep >= stepsPerEpoch;
  const anew = another && epochStep > 0 ? { epoch: epoch + 1, epochStep: 0 } : {};
  standing.progress = { ...progress, ...anew, place, dropLast };
}

/** The batches of an epoch, and notes for the report. */
export function batchesFor(count: number, { batchSize, dropLast }: CheckedOptions, model: Model) {
  const batches = batchesOf(count, batchSize, !dropLast);
  const { rows, layer } = extras?.smallestBatch(model) ?? { rows: 1 };
  if (batches.rest === 0 || batches.rest >= rows) return { batches, notes: [] };
  const rest = batches.rest === 1 ? "the last example" : `the last ${batches.rest} examples`;
  const note =
    `${rest} of each epoch are left out: ${layer?.path} (${layer?.type}) needs a batch of at least ${rows}. ` +
    `A batchSize other than ${batchSize} leaves a different remainder`;
  return { batches: batchesOf(count, batchSize, false), notes: [note] };
}
