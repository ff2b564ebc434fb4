// The public API, nothing else.
import { fromArray, take } from "./data/arrays.js";
import { digits } from "./data/digits.js";
import { gaussians } from "./data/gaussians.js";
import { fashionMnist, imagesFromIdx, mnist } from "./data/mnist.js";

export { VAE } from "./autoencoder.js";
export type { MemoryReport, ReconstructOptions, SampleOptions, VAEOptions } from "./autoencoder.js";
export { WebvaeError } from "./errors.js";
export type { ErrorCode } from "./errors.js";
export { dense, flatten, reshape } from "./spec.js";
export type { Activation, DenseLayer, FlattenLayer, Layer, Likelihood, ModelSpec, ReshapeLayer } from "./spec.js";
export { models } from "./presets.js";
export type { ModelName } from "./presets.js";
export type { Dataset } from "./data/dataset.js";
export type { EvaluationOptions, Terms } from "./evaluation.js";
export type { Scheduled, SchedulePoint, TrainingOptions } from "./training_options.js";
export type { TrainingReport } from "./training_run.js";
export type { Examples } from "./sampler.js";
export type { Initialisation } from "./weights.js";

/** Data sets: downloaded and checked, generated from a seed, or from arrays and files. */
export const datasets = { mnist, fashionMnist, digits, gaussians, fromArray, imagesFromIdx, take };
