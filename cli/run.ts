// One training run from options to pictures' data: the same code in Node and, with --browser, in a page.
import {
  VAE,
  type Dataset,
  type Initialisation,
  type ModelSpec,
  type Terms,
  type TrainingReport,
  type VAEOptions,
} from "../src/index.js";
import { manifoldPoints } from "./normal.js";

export interface RunConfig {
  readonly spec: ModelSpec;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly beta: number;
  /** Adam's; the library's own by default. */
  readonly epsilon?: number;
  readonly initialisation: Initialisation;
  readonly seed: number;
}

export interface RunHooks {
  readonly onStart: (adapter: { name: string; software: boolean }) => void | Promise<void>;
  readonly onReport: (report: TrainingReport) => void | Promise<void>;
  /** After each epoch: the model as it is now, so that a fault later loses an epoch at most. */
  readonly onModel: (bytes: Uint8Array) => void | Promise<void>;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly stopped: boolean;
  readonly epochs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly test: Terms;
  readonly model: Uint8Array;
  /** [n, ...input] each. */
  readonly samples: Float32Array;
  readonly originals: Float32Array;
  readonly reconstructions: Float32Array;
  /** For two latent dimensions: means [n, 2] of test examples, and decoded images of a grid of latents. */
  readonly means?: Float32Array;
  readonly manifold?: Float32Array;
}

export const SAMPLES = 100;
export const RECONSTRUCTIONS = 20;
export const MANIFOLD_SIDE = 20;
/** Points of a scatter: for data in the plane a hundred samples show nothing. */
export const POINTS = 2000;
const SCATTERED = 10000;

/**
 * Trains a new VAE and collects what the run leaves behind. A run that `signal` stops is complete too, with the
 * weights that it has by then. Throws what the library throws.
 */
export async function run(
  config: RunConfig,
  train: Dataset,
  test: Dataset,
  hooks: RunHooks,
  where: Pick<VAEOptions, "gpu" | "tuning"> = {},
): Promise<RunResult> {
  const { spec, seed, initialisation, epochs, batchSize, learningRate, beta, epsilon } = config;
  const vae = await VAE.create(spec, { seed, initialisation, ...where });
  try {
    await hooks.onStart(vae.adapter);
    const started = performance.now();
    let last: TrainingReport | undefined;
    let stopped = false;
    let trainingSeconds = 0;
    try {
      const adam = epsilon === undefined ? {} : { epsilon };
      const options = { epochs, batchSize, learningRate, beta, adam, test, signal: hooks.signal };
      for await (const report of vae.train(train, options)) {
        last = report;
        trainingSeconds += report.epochEnd?.seconds ?? 0;
        await hooks.onReport(report);
        if (report.epochEnd && report.epoch < epochs) await hooks.onModel(await vae.save());
      }
    } catch (error) {
      if (!hooks.signal.aborted) {
        // A fault of anything but the device leaves good weights: hours of training are not lost to a full disk.
        if (last) await rescue(vae, hooks, error);
        throw error;
      }
      stopped = true;
    }
    const { steps, epochs: trained } = vae.trained;
    // A run that was stopped before its first step has nothing to leave, and must not replace what another left.
    if (steps === 0) throw hooks.signal.reason;
    const seconds = (performance.now() - started) / 1000;
    const model = await vae.save();
    await hooks.onModel(model);
    return {
      stopped,
      epochs: trained,
      steps,
      seconds,
      // Of the whole epochs alone: compiling and evaluating are no steps.
      stepsPerSecond: trained > 0 ? (trained * Math.floor(train.count / batchSize)) / trainingSeconds : steps / seconds,
      test: last?.epochEnd?.test ?? (await vae.elbo(test, { seed })),
      model,
      ...(await pictures(vae, test)),
    };
  } finally {
    vae.dispose();
  }
}

/** Gives the weights that a broken run still has to `onModel`; the fault itself is what is reported. */
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
