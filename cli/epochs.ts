// Figures of a run's epochs, counted from the start of the whole run even if it was resumed.
import type { Terms, TrainingReport } from "../src/index.js";
import type { Losses } from "./charts.js";

/** The current epoch: means over the reported steps, and their seconds. */
export type PartialEpoch = Losses & { readonly steps: number; readonly seconds: number };

/** A run's progress at the time it is saved. */
export interface Standing {
  readonly steps: number;
  /** Completed epochs. */
  readonly epochs: number;
  readonly partial: PartialEpoch;
}

/** A data set's figures, as printed and written. */
export interface Figures extends Losses {
  /** [latent], in nats. */
  readonly kl_per_latent: readonly number[];
}

export const figuresOf = ({ klPerLatent, ...terms }: Terms): Figures => ({
  ...lossesOf(terms),
  kl_per_latent: Array.from(klPerLatent, (nats) => Number(nats.toPrecision(7))),
});

/** A report whose epochs and steps count from the start of the whole run, even if it was resumed. */
export interface RunReport
  extends Losses, Pick<TrainingReport, "epoch" | "epochs" | "step" | "steps" | "stepsPerSecond"> {
  readonly epochEnd?: { readonly train: Losses; readonly test?: Figures; readonly seconds: number };
}

const nothing: PartialEpoch = { elbo: 0, reconstruction: 0, kl: 0, steps: 0, seconds: 0 };
const keys = ["elbo", "reconstruction", "kl"] as const;

/** Continues a resumed run's counts, and completes the figures of the epoch in which it was interrupted. */
export class Epochs {
  /** The part of the current epoch that earlier processes trained. */
  #earlier: PartialEpoch;
  #partial = nothing;
  #step = 0;
  #since = performance.now();
  #whole = { steps: 0, seconds: 0 };

  constructor(
    readonly before: { readonly steps: number; readonly epochs: number },
    private readonly epochs: number,
    /** In an epoch: not whole if the last is smaller. */
    private readonly batches: number,
    earlier = nothing,
  ) {
    this.#earlier = earlier;
  }

  /** Measured over whole epochs only, since compiling and evaluating are not steps. */
  get stepsPerSecond(): number | undefined {
    return this.#whole.steps > 0 ? this.#whole.steps / this.#whole.seconds : undefined;
  }

  standing(trained: { readonly steps: number; readonly epochs: number }): Standing {
    const seconds = (performance.now() - this.#since) / 1000;
    return { ...trained, partial: joined(this.#earlier, { ...this.#partial, seconds }) };
  }

  /** Converts the library's report to one that covers the whole run. */
  add(report: TrainingReport): RunReport {
    const { before } = this;
    const steps = report.step - this.#step;
    this.#step = report.step;
    const end = report.epochEnd;
    const weight = steps - (end ? Math.ceil(this.batches) - this.batches : 0);
    this.#partial = joined(this.#partial, { ...lossesOf(report), steps, seconds: 0 }, weight);
    const { stepsPerSecond } = report;
    const counted = {
      ...lossesOf(report),
      stepsPerSecond,
      epoch: before.epochs + report.epoch,
      epochs: this.epochs,
      step: before.steps + report.step,
      steps: before.steps + report.steps,
    };
    if (!end) return counted;
    this.#whole = { steps: this.#whole.steps + this.#partial.steps, seconds: this.#whole.seconds + end.seconds };
    const all = joined(this.#earlier, { ...this.#partial, ...end.train, seconds: end.seconds });
    const { seconds } = all;
    [this.#earlier, this.#partial, this.#since] = [nothing, nothing, performance.now()];
    const test = end.test ? { test: figuresOf(end.test) } : {};
    return { ...counted, epochEnd: { train: lossesOf(all), ...test, seconds } };
  }

  /** The end of an epoch that was complete but not yet reported when the run was stopped. */
  async missed(stepsPerEpoch: number, evaluated: () => Promise<Terms>): Promise<RunReport | undefined> {
    const { steps, epochs } = this.before;
    const { seconds } = this.#earlier;
    const train = lossesOf(this.#earlier);
    if (this.#earlier.steps === 0 || steps !== epochs * stepsPerEpoch) return undefined;
    this.#earlier = nothing;
    const epochEnd = { train, test: figuresOf(await evaluated()), seconds };
    const counts = { epoch: epochs, epochs: this.epochs, step: steps, steps: this.epochs * stepsPerEpoch };
    return { ...train, ...counts, stepsPerSecond: 0, epochEnd };
  }
}

function lossesOf({ elbo, reconstruction, kl, terms = {} }: Losses): Losses {
  const further = Object.entries(terms).filter(([name]) => name !== "reconstruction" && name !== "kl");
  return { elbo, reconstruction, kl, ...(further.length > 0 ? { terms: Object.fromEntries(further) } : {}) };
}

/** The means over the steps of both; `weight` is how many whole batches those of `b` are. */
function joined(a: PartialEpoch, b: PartialEpoch, weight = b.steps): PartialEpoch {
  // If one has no steps, the other's means stay exact.
  const mean = (of: (part: Losses) => number) =>
    a.steps === 0 ? of(b) : b.steps === 0 ? of(a) : (of(a) * a.steps + of(b) * weight) / (a.steps + weight);
  const [elbo, reconstruction, kl] = keys.map((key) => mean((part) => part[key])) as [number, number, number];
  const names = Object.keys(b.terms ?? a.terms ?? {});
  const terms = Object.fromEntries(names.map((name) => [name, mean((part) => part.terms?.[name] ?? NaN)]));
  return { ...lossesOf({ elbo, reconstruction, kl, terms }), steps: a.steps + b.steps, seconds: a.seconds + b.seconds };
}
