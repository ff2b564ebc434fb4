// The public API, nothing else; data sets are an entry of their own, datasets.ts.
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
