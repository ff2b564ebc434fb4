// The reports of a training run.
import type { Terms } from "./scores.js";

/** A report. Losses are means over the steps since the previous report, in nats per example. */
export interface TrainingReport extends Terms {
  /** Counts from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this run, and its total number of steps. */
  readonly step: number;
  readonly steps: number;
  /** What is minimised: reconstruction + beta * kl, or what the option `objective` says. */
  readonly objective: number;
  /**
   * The mean of each term by name, in nats per example: "reconstruction" and "kl"; with another prior "kl.posterior" and
   * "kl.prior", whose sum is the KL divergence; with the objective "iwae" also "bound".
   */
  readonly terms: Readonly<Record<string, number>>;
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
