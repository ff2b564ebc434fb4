// The public API of the core, and nothing else. datasets.ts and describe.ts are separate entries.
export { VAE } from "./autoencoder.js";
export type {
  CallOptions,
  MemoryReport,
  ReconstructOptions,
  SampleOptions,
  SaveOptions,
  VAEOptions,
} from "./vae_options.js";
export { isSupported } from "./shared_device.js";
export type { AdapterOptions, Support } from "./shared_device.js";
export { WebvaeError } from "./errors.js";
export type { ErrorCode } from "./errors.js";
export {
  avgPool2d,
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  groupNorm,
  maxPool2d,
  reshape,
  residual,
  upsample2d,
} from "./layers/json.js";
export type {
  BatchNormLayer,
  Conv2dLayer,
  ConvTranspose2dLayer,
  DenseLayer,
  DropoutLayer,
  FlattenLayer,
  GroupNormLayer,
  Layer,
  LayerOptions,
  Padding,
  Pool2dLayer,
  ReshapeLayer,
  ResidualLayer,
  Size2d,
  Upsample2dLayer,
} from "./layers/json.js";
export type { Activation } from "./tensor.js";
export type {
  BernoulliLikelihood,
  GaussianLikelihood,
  LaplaceLikelihood,
  Likelihood,
  ScaleOrLearned,
} from "./likelihoods/json.js";
export type { MixturePrior, Prior } from "./priors/json.js";
export type { Condition, ConditionValue, LabelCondition } from "./conditions/json.js";
export type { ImportanceObjective, Objective } from "./objectives/json.js";
export type { ModelSpec } from "./spec.js";
export type { NamedWeights, WeightValues } from "./named_weights.js";
export type { ModelPart } from "./part.js";
export { models } from "./presets.js";
export type { ModelName } from "./presets.js";
export type { Dataset } from "./data/dataset.js";
export type { EvaluationOptions } from "./evaluation.js";
export type { LogLikelihood } from "./log_likelihood.js";
export type { Scores, Terms } from "./scores.js";
export type { Scheduled, SchedulePoint, ScheduleSpec } from "./schedules.js";
export type { Precision, TrainingOptions } from "./training_options.js";
export type { Training } from "./training.js";
export type { TrainingReport } from "./training_report.js";
export type { Encoded } from "./sampler.js";
export type { SchedulerCounts } from "./scheduler.js";
export type { BufferRows, Examples, IntoBuffer, Latents } from "./examples.js";
export type { NumberArray, Numbers } from "./data/rows.js";
export type { Schedule } from "./ops/op.js";
export type { TuningStore } from "./tuning_store.js";
export type { Initialisation } from "./weights.js";
