// One training run, from its options to its pictures' data: the same code in Node and, with --browser, on a page.
import {
  VAE,
  WebvaeError,
  type Dataset,
  type Initialisation,
  type ModelSpec,
  type Terms,
  type TrainingReport,
  type VAEOptions,
} from "../src/index.js";
import type { Losses } from "./charts.js";
import { manifoldPoints } from "./normal.js";

export interface RunConfig {
  readonly spec: ModelSpec;
  /** Total number, including those before a resumed run's checkpoint. */
  readonly epochs: number;
  /** Milliseconds between checkpoints. */
  readonly saveEvery: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly beta: number;
  /** Adam's epsilon; the library's own by default. */
  readonly epsilon?: number;
  readonly initialisation: Initialisation;
  readonly seed: number;
}

/** For a resumed run: its last checkpoint, and the data from its record. */
export interface Resumed {
  readonly checkpoint: Uint8Array;
  readonly stepsPerEpoch: number;
  readonly partial: PartialEpoch;
}

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

export interface RunHooks {
  /** `trained` is where a resumed run continues. */
  readonly onStart: (
    adapter: { name: string; software: boolean },
    trained: { steps: number; epochs: number },
  ) => void | Promise<void>;
  readonly onReport: (report: RunReport) => void | Promise<void>;
  /**
   * A checkpoint with the training state: after the first report, every `saveEvery`, and (`last`) when the run ends or
   * is stopped.
   */
  readonly onCheckpoint: (bytes: Uint8Array, standing: Standing, last: boolean) => void | Promise<void>;
  /** After each epoch: the current model, so that a later error loses at most one epoch. */
  readonly onModel: (bytes: Uint8Array) => void | Promise<void>;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly stopped: boolean;
  readonly epochs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly test: Figures;
  readonly model: Uint8Array;
  /** Each is [n, ...input]. */
  readonly samples: Float32Array;
  readonly originals: Float32Array;
  readonly reconstructions: Float32Array;
  /** For two latent dimensions: means [n, 2] of test examples, and images decoded from a grid of latents. */
  readonly means?: Float32Array;
  readonly manifold?: Float32Array;
}

export const SAMPLES = 100;
export const RECONSTRUCTIONS = 20;
export const MANIFOLD_SIDE = 20;
/** Samples in a scatter chart: for data in the plane, a hundred would show nothing. */
export const POINTS = 2000;
const SCATTERED = 10000;

/**
 * Trains a new VAE, or resumes a run, and collects the results. A run stopped by `signal` returns results too, from the
 * weights it has by then. Throws what the library throws.
 */
export async function run(
  config: RunConfig,
  train: Dataset,
  test: Dataset,
  hooks: RunHooks,
  where: Pick<VAEOptions, "gpu" | "tuning"> = {},
  resumed?: Resumed,
): Promise<RunResult> {
  const { spec, seed, initialisation, batchSize, learningRate, beta, epsilon } = config;
  const vae = resumed
    ? await VAE.load(resumed.checkpoint, where)
    : await VAE.create(spec, { seed, initialisation, ...where });
  const epochs = new Epochs(vae.trained, config.epochs, resumed?.partial);
  const checkpoint = async (last = false) =>
    hooks.onCheckpoint(await vae.save({ trainingState: true }), epochs.standing(vae.trained), last);
  try {
    await hooks.onStart(vae.adapter, vae.trained);
    const started = performance.now();
    let last: RunReport | undefined;
    let stopped = false;
    let saved = -Infinity;
    try {
      const missed = resumed && (await epochs.missed(resumed.stepsPerEpoch, () => vae.elbo(test, { seed })));
      if (missed) await hooks.onReport((last = missed));
      const adam = epsilon === undefined ? {} : { epsilon };
      const options = { batchSize, learningRate, beta, adam, test, signal: hooks.signal };
      const left = config.epochs - vae.trained.epochs;
      if (left > 0) {
        for await (const one of vae.train(train, { ...options, epochs: left })) {
          const report = epochs.add(one);
          last = report;
          await hooks.onReport(report);
          if (report.epochEnd && report.epoch < config.epochs) await hooks.onModel(await vae.save());
          // If steps in flight have already completed the epoch, waits for its figures, which belong in the checkpoint.
          const early = !report.epochEnd && vae.trained.epochs >= report.epoch;
          if (early || performance.now() - saved < config.saveEvery) continue;
          await checkpoint();
          saved = performance.now();
        }
      }
    } catch (error) {
      if (!hooks.signal.aborted) {
        // Any error but a lost device leaves good weights, so hours of training are not lost to a full disk.
        if (last) await rescue(vae, hooks, error);
        // Not after an error from the library, which would only recur after resuming from there.
        if (last && !(error instanceof WebvaeError)) await checkpoint(true);
        throw error;
      }
      stopped = true;
    }
    const { steps, epochs: trained } = vae.trained;
    // A run that was stopped before its first step has no results, and must not overwrite another run's.
    if (steps === 0) throw hooks.signal.reason;
    const seconds = (performance.now() - started) / 1000;
    await checkpoint(true);
    const model = await vae.save();
    await hooks.onModel(model);
    return {
      stopped,
      epochs: trained,
      steps,
      seconds,
      stepsPerSecond: epochs.stepsPerSecond ?? (steps - epochs.before.steps) / seconds,
      test: (!stopped && last?.epochEnd?.test) || figuresOf(await vae.elbo(test, { seed })),
      model,
      ...(await pictures(vae, test)),
    };
  } finally {
    vae.dispose();
  }
}

const nothing: PartialEpoch = { elbo: 0, reconstruction: 0, kl: 0, steps: 0, seconds: 0 };
const keys = ["elbo", "reconstruction", "kl"] as const;

/** Continues a resumed run's counts, and completes the figures of the epoch in which it was interrupted. */
class Epochs {
  /** The part of the current epoch that earlier processes trained. */
  #earlier: PartialEpoch;
  #partial = nothing;
  #step = 0;
  #since = performance.now();
  #whole = { steps: 0, seconds: 0 };

  constructor(
    readonly before: { readonly steps: number; readonly epochs: number },
    private readonly epochs: number,
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
    this.#partial = joined(this.#partial, { ...report, steps, seconds: 0 });
    const end = report.epochEnd;
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

const lossesOf = ({ elbo, reconstruction, kl }: Losses): Losses => ({ elbo, reconstruction, kl });

/** The means over the steps of both. */
function joined(a: PartialEpoch, b: PartialEpoch): PartialEpoch {
  const steps = a.steps + b.steps;
  // If one has no steps, the other's means stay exact.
  const mean = (key: keyof Losses) =>
    a.steps === 0 ? b[key] : b.steps === 0 ? a[key] : (a[key] * a.steps + b[key] * b.steps) / steps;
  const [elbo, reconstruction, kl] = keys.map(mean) as [number, number, number];
  return { elbo, reconstruction, kl, steps, seconds: a.seconds + b.seconds };
}

/** Passes the weights that a failed run still has to `onModel`; the original error is the one reported. */
async function rescue(vae: VAE, hooks: RunHooks, fault: unknown): Promise<void> {
  try {
    await hooks.onModel(await vae.save());
  } catch (error) {
    if (fault instanceof Error && error instanceof Error)
      fault.message += `; and the model was not saved: ${error.message}`;
  }
}

async function pictures(vae: VAE, test: Dataset) {
  const { latent, input } = vae.spec;
  const flat = input.length === 1 && input[0] === 2;
  const size = test.values.length / test.count;
  const count = Math.min(test.count, flat ? POINTS : RECONSTRUCTIONS);
  const scale = test.values instanceof Uint8Array ? 1 / 255 : 1;
  const originals = Float32Array.from(test.values.subarray(0, count * size), (value) => value * scale);
  return {
    samples: await vae.sample(flat ? POINTS : SAMPLES, { seed: 1, noise: flat }),
    originals,
    reconstructions: await vae.reconstruct(originals),
    ...(latent === 2
      ? {
          means: (await vae.encode(test.values.subarray(0, Math.min(SCATTERED, test.count) * size))).mean,
          manifold: await vae.decode(manifoldPoints(MANIFOLD_SIDE)),
        }
      : {}),
  };
}
