// One training run, from its options to its pictures' data: the same code in Node and, with --browser, on a page.
import {
  VAE,
  WebvaeError,
  type Dataset,
  type Initialisation,
  type ModelSpec,
  type TrainingOptions,
  type VAEOptions,
} from "../src/index.js";
import { classesOf, samplesByClass } from "./classes.js";
import { Epochs, figuresOf, type Figures, type PartialEpoch, type RunReport, type Standing } from "./epochs.js";
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
  readonly objective?: TrainingOptions["objective"];
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
  /** Each is [n, ...input]. Of a conditional model of images: as many samples of each class, in turn. */
  readonly samples: Float32Array;
  readonly originals: Float32Array;
  readonly reconstructions: Float32Array;
  /**
   * For two latent dimensions: means [n, 2] of test examples, and images decoded from a grid of latents, which is that of
   * N(0, 1): there is none with another prior, nor for a conditional model, where it would be of one class.
   */
  readonly means?: Float32Array;
  readonly manifold?: Float32Array;
}

export const SAMPLES = 100;
/** Of each class of a conditional model. */
export const SAMPLES_OF_CLASS = 10;
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
  const { spec, seed, initialisation, batchSize, learningRate, beta, objective, epsilon } = config;
  const vae = resumed
    ? await VAE.load(resumed.checkpoint, where)
    : await VAE.create(spec, { seed, initialisation, ...where });
  const epochs = new Epochs(vae.trained, config.epochs, train.count / batchSize, resumed?.partial);
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
      const bound = objective === undefined ? {} : { objective };
      const options = { batchSize, learningRate, beta, ...bound, adam, test, signal: hooks.signal };
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

/** Passes the weights that a failed run still has to `onModel`; the original error is the one reported. */
async function rescue(vae: VAE, hooks: RunHooks, fault: unknown): Promise<void> {
  try {
    await hooks.onModel(await vae.save());
  } catch (error) {
    if (fault instanceof Error && error instanceof Error)
      fault.message += `; and the model was not saved: ${error.message}`;
  }
}

export const isNormal = ({ prior = "normal" }: ModelSpec): boolean => prior === "normal";

/** Whether the plane of latents is drawn. */
export const hasManifold = (spec: ModelSpec): boolean =>
  spec.latent === 2 && isNormal(spec) && spec.condition === undefined;

async function pictures(vae: VAE, test: Dataset) {
  const { latent, input } = vae.spec;
  const flat = input.length === 1 && input[0] === 2;
  const size = test.values.length / test.count;
  const count = Math.min(test.count, flat ? POINTS : RECONSTRUCTIONS);
  const scale = test.values instanceof Uint8Array ? 1 / 255 : 1;
  const conditional = classesOf(vae.spec) !== undefined;
  // Training has checked that there are labels.
  const labelled = (rows: number) => (conditional ? { condition: test.labels!.subarray(0, rows) } : {});
  const originals = Float32Array.from(test.values.subarray(0, count * size), (value) => value * scale);
  const encoded = Math.min(SCATTERED, test.count);
  const samples = () => {
    if (!conditional) return vae.sample(flat ? POINTS : SAMPLES, { seed: 1, noise: flat });
    // Points lie over the test set's, so they have its classes.
    if (flat) return vae.sample(count, { seed: 1, noise: true, ...labelled(count) });
    return samplesByClass(vae, SAMPLES_OF_CLASS, { seed: 1 });
  };
  return {
    samples: await samples(),
    originals,
    reconstructions: await vae.reconstruct(originals, labelled(count)),
    ...(latent === 2
      ? { means: (await vae.encode(test.values.subarray(0, encoded * size), labelled(encoded))).mean }
      : {}),
    ...(hasManifold(vae.spec) ? { manifold: await vae.decode(manifoldPoints(MANIFOLD_SIDE)) } : {}),
  };
}
