// The options of a training run, checked before anything is allocated.
import { quoted } from "./checks.js";
import type { Dataset } from "./data/dataset.js";
import type { AdamOptions } from "./ops/adam.js";
import { layersFile } from "./layers_file.js";
import { loaded } from "./loaded.js";
import { inRange, invalidOption, optionsOf, wholeNumber } from "./options.js";
import type { Chosen } from "./objectives/index.js";
import type { Objective } from "./objectives/json.js";
import type { Progress } from "./progress.js";
import type { Scheduled, SchedulePoint } from "./schedules.js";

/** The same with what JSON means. */
type Evaluated = Exclude<Scheduled, object> | ((point: SchedulePoint) => number);

/** The options of a training run. */
export interface TrainingOptions {
  /** Default 10. */
  readonly epochs?: number;
  /** Ends the run after this many steps, even within an epoch, where the next run continues. Default: no limit. */
  readonly steps?: number;
  /** Examples per step; the whole set if it has fewer. Default 128. */
  readonly batchSize?: number;
  /**
   * Leaves out the examples that remain after an epoch's full batches; with shuffling, these differ in each epoch. By
   * default they form a last, smaller batch. A run that continues another keeps its setting.
   */
  readonly dropLast?: boolean;
  /**
   * The run ends with NON_FINITE after this many consecutive steps with a non-finite gradient. Such steps change
   * nothing, and the weights go back to the last copy with a finite loss. Default 16; Infinity never ends the run.
   */
  readonly maxSkipped?: number;
  /** Default 1e-3. */
  readonly learningRate?: Scheduled;
  /**
   * What is minimised. "iwae" leaves no place for another beta or noise than 1. Default "elbo": reconstruction + beta *
   * kl.
   */
  readonly objective?: Objective;
  /** Weight of the KL term in the objective. Reports always give the ELBO at weight 1. Default 1. */
  readonly beta?: Scheduled;
  /**
   * Factor on the noise of the latents: z = mu + noise * sigma * e. With 0, the model is trained as a plain
   * autoencoder, on the mean only; evaluation and sampling always use full noise. Default 1.
   */
  readonly noise?: Scheduled;
  /** adamw shrinks the weights themselves by learningRate x weightDecay; adam adds weightDecay x w to the gradient. */
  readonly optimizer?: "adam" | "adamw";
  /** Default 0. */
  readonly weightDecay?: number;
  /** Adam's decay rates and the epsilon outside its root. Default 0.9, 0.999, 1e-8. */
  readonly adam?: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number };
  /** Largest norm of the whole gradient. Default: no clipping. */
  readonly clipNorm?: number;
  /**
   * "f16" stores activations, their gradients and the products' copy of the weights in half precision, which needs a
   * device with the feature shader-f16; sums, the weights themselves and the optimizer stay f32. Default "f32".
   */
  readonly precision?: Precision;
  /** Use a new order of the examples in each epoch. Default true. */
  readonly shuffle?: boolean;
  /** Draw pixels as 0 or 1 at each step, with their value as the probability (byte data only). Default false. */
  readonly binarise?: boolean;
  /** Evaluated after each epoch. */
  readonly test?: Dataset;
  /**
   * Target GPU time of a submit in milliseconds, at most 500; a submit has at least one step. With a small value, other
   * work that the page requests, such as decoding a latent, runs sooner. Default: 50, and more on a slow adapter.
   */
  readonly submitMs?: number;
  readonly signal?: AbortSignal;
}

/** The precision of stored activations and weights; Adam keeps the weights in f32. */
export type Precision = "f32" | "f16";

export interface CheckedOptions {
  readonly epochs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: Evaluated;
  readonly beta: Evaluated;
  readonly noise: Evaluated;
  readonly shuffle: boolean;
  readonly binarise: boolean;
  readonly half: boolean;
  readonly objective: Chosen | undefined;
  readonly dropLast: boolean;
  readonly maxSkipped: number;
  readonly submitMs: number | undefined;
  readonly adam: AdamOptions;
}

const known: readonly (keyof TrainingOptions)[] = [
  "epochs",
  "steps",
  "batchSize",
  "dropLast",
  "maxSkipped",
  "learningRate",
  "objective",
  "beta",
  "noise",
  "optimizer",
  "weightDecay",
  "adam",
  "clipNorm",
  "precision",
  "shuffle",
  "binarise",
  "test",
  "submitMs",
  "signal",
];

/** The options of a run. Throws INVALID_OPTION for unknown keys. */
export function trainingOptions(options: TrainingOptions): TrainingOptions {
  return optionsOf(options, "train", known);
}

const schedules = ["learningRate", "beta", "noise"] as const;

/** The options with what their JSON means. */
type LoadedOptions = Omit<TrainingOptions, "objective"> & { readonly objective?: Chosen | undefined };

/**
 * The options with a function for each schedule that is JSON, and the objective, once the code of what they name is
 * loaded. Throws INVALID_OPTION, and DOWNLOAD_FAILED.
 */
export async function withSchedules({ objective = "elbo", ...options }: TrainingOptions): Promise<LoadedOptions> {
  const given = schedules.flatMap((name) => {
    const value = options[name];
    return value && typeof value === "object" ? [[name, value] as const] : [];
  });
  if (!given[0] && objective === "elbo" && options.precision !== "f16") return options;
  const more = await loaded("what these options need", "layers.js", layersFile);
  more.install();
  const made = given.map(([name, json]) => [name, more.scheduleFunction(json, name)]);
  const { beta, noise } = options;
  return {
    ...options,
    ...(Object.fromEntries(made) as object),
    objective: more.objectiveOf({ objective, beta, noise }),
  };
}

/** Throws INVALID_OPTION naming the option, what was given and what is allowed. */
export function checkOptions(options: LoadedOptions, dataset: Dataset, progress: Progress): CheckedOptions {
  const {
    learningRate = 1e-3,
    beta = 1,
    noise = 1,
    submitMs,
    optimizer = "adam",
    shuffle = true,
    binarise = false,
    dropLast = progress.dropLast ?? false,
    maxSkipped = 16,
  } = options;
  const { epochs = 10, batchSize: batch = 128, adam = {}, weightDecay = 0 } = options;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optionsOf(adam, "adam", ["beta1", "beta2", "epsilon"]);
  const batchSize = Math.min(wholeNumber("batchSize", batch), dataset.count);
  const constant = (name: string, value: Scheduled) =>
    typeof value === "function" ? value : inRange(name, value, 0, 1e6);
  if (submitMs !== undefined) inRange("submitMs", submitMs, 0, 500);
  if (!["adam", "adamw"].includes(optimizer)) {
    throw invalidOption(`optimizer must be "adam" or "adamw", not ${quoted(optimizer)}`);
  }
  const { precision = "f32" } = options;
  if (!["f32", "f16"].includes(precision)) {
    throw invalidOption(`precision must be "f32" or "f16", not ${quoted(precision)}`);
  }
  return {
    epochs: wholeNumber("epochs", epochs),
    steps: options.steps === undefined ? Infinity : wholeNumber("steps", options.steps),
    batchSize,
    learningRate: constant("learningRate", learningRate),
    beta: constant("beta", beta),
    noise: constant("noise", noise),
    shuffle,
    binarise,
    half: precision === "f16",
    objective: options.objective,
    dropLast,
    maxSkipped: maxSkipped === Infinity ? maxSkipped : wholeNumber("maxSkipped", maxSkipped),
    submitMs,
    adam: {
      beta1: inRange("adam.beta1", beta1, 0, 1, true),
      beta2: inRange("adam.beta2", beta2, 0, 1, true),
      epsilon: inRange("adam.epsilon", epsilon, 1e-30, 1),
      weightDecay: inRange("weightDecay", weightDecay, 0, 1e6),
      decoupled: optimizer === "adamw",
      clipNorm: options.clipNorm === undefined ? 0 : inRange("clipNorm", options.clipNorm, 1e-30, 1e30),
    },
  };
}

/** The value of a schedule at a point. Throws INVALID_OPTION if a function returns a value that no step can use. */
export function scheduled(name: string, value: Evaluated, point: SchedulePoint): number {
  if (typeof value === "number") return value;
  const at = `${name} at step ${point.step} (epoch ${point.epoch + 1})`;
  const given: unknown = value(point);
  // Nobody awaits this promise, so its rejection would end a Node process.
  if (typeof (given as PromiseLike<unknown> | null)?.then === "function") {
    void Promise.resolve(given).catch(() => {});
    throw invalidOption(`${at} must be a number, not a promise: schedules are called synchronously`);
  }
  return inRange(at, given, 0, 1e6);
}
