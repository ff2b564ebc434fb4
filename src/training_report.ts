// What training reports.
import type { Terms } from "./evaluation.js";

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
  /** Only in a run's first report: how the run deviates from its options, in sentences. */
  readonly notes?: readonly string[];
  /** At the end of an epoch: the means over all its steps, and the test set's figures where there is one. */
  readonly epochEnd?: { readonly train: Terms; readonly test?: Terms; readonly seconds: number };
}
