// The reports of a training run.
import type { Terms } from "./evaluation.js";

/** A report. Losses are means over the steps since the previous report, in nats per example. */
export interface TrainingReport extends Terms {
  /** Counts from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this run, and its total number of steps. */
  readonly step: number;
  readonly steps: number;
  /** The objective that is minimised: reconstruction + beta * kl. */
  readonly objective: number;
  /** Norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
  /** Steps of this run that changed nothing because their gradient was not finite. */
  readonly skipped: number;
  /** Fraction of log variances outside [-10, 10]. */
  readonly clamped: number;
  readonly stepsPerSecond: number;
  /** Time since the run began. */
  readonly seconds: number;
  /** Only in a run's first report: sentences about how the run deviates from its options. */
  readonly notes?: readonly string[];
  /** At the end of an epoch: the means over all its steps, and the test set's results, if there is one. */
  readonly epochEnd?: { readonly train: Terms; readonly test?: Terms; readonly seconds: number };
}
