// Checkpoints at random times during training runs, on the machine's adapter: each is loaded again, trained to the
// run's end, and must end with the run's bits.
import * as datasets from "../../src/datasets.js";
import { Device } from "../../src/device.js";
import { batchNorm, dense, dropout, VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { RandomSequence, Stream } from "../../src/random.js";
import { open } from "../support/gpu.js";
import { textOf } from "./errors.js";

export interface SavesWalk {
  readonly name: string;
  /** Checkpoints made during a run, and resumed. */
  runs: number;
  /** The step counts at which they were made, by kind of run, since a single moment would prove little. */
  moments: number;
  /** Failures, with or without a code; there may be none. */
  readonly failed: string[];
  /** Resumed runs with other bits than the original, or saved runs with other bits than unsaved ones. */
  readonly wrong: string[];
  readonly leaks: string[];
}

export interface SavesOptions {
  /** Checkpoints. */
  readonly count: number;
  readonly seed: number;
}

const EPOCHS = 4;
/** Checkpoints per run. */
const EACH = 4;
const relu = { activation: "relu" } as const;

/** Models and runs with every kind of state: statistics, moments, orders, draws, a smaller last batch. */
const kinds: readonly { readonly spec: Partial<ModelSpec>; readonly options: TrainingOptions }[] = [
  { spec: {}, options: {} },
  { spec: { encoder: [dense(24, relu), batchNorm()] }, options: { optimizer: "adamw", weightDecay: 0.01 } },
  { spec: { encoder: [dense(24, relu), dropout(0.2)] }, options: { binarise: true, clipNorm: 10 } },
  { spec: {}, options: { shuffle: false, dropLast: true, beta: ({ step }) => Math.min(1, step / 30) } },
];

const specOf = (own: Partial<ModelSpec>): ModelSpec => ({
  input: [28, 28, 1],
  encoder: [dense(24, relu)],
  latent: 3,
  decoder: [dense(24, relu), dense(784)],
  likelihood: "bernoulli",
  ...own,
});

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** The same seed gives the same models, runs, and waits before each checkpoint. */
export async function walkSaves({ count, seed }: SavesOptions): Promise<SavesWalk> {
  const name = "checkpoints at random times of a run, resumed";
  const walk: SavesWalk = { name, runs: 0, moments: 0, failed: [], wrong: [], leaks: [] };
  const device = await open();
  const data = datasets.digits({ split: "train", count: 300, seed: 3 });
  const random = new RandomSequence(seed, Stream.data);
  const moments = new Set<string>();
  for (let run = 0; walk.runs < count; run++) {
    const at = run % kinds.length;
    const { spec, options } = kinds[at]!;
    const create = () => VAE.create(specOf(spec), { device, seed: seed + run, tuning: false });
    const train = (vae: VAE, epochs: number) => vae.train(data, { batchSize: 32, submitMs: 2, ...options, epochs });
    using undisturbed = await create();
    const began = performance.now();
    await train(undisturbed, EPOCHS);
    // Up to a run's duration, so that checkpoints fall anywhere in it.
    const length = performance.now() - began;
    const whole = await undisturbed.save({ trainingState: true });

    using vae = await create();
    const saves: Promise<Uint8Array>[] = [];
    let [running, failure] = [true, undefined as unknown];
    const end = train(vae, EPOCHS)
      .then(undefined, (error: unknown) => (failure = error))
      .finally(() => (running = false));
    while (walk.runs + saves.length < count && saves.length < EACH) {
      // The first one at once, before the run is set up.
      if (saves.length > 0) await pause((2 * random.uniform() * length) / (EACH - 1));
      if (!running) break;
      saves.push(vae.save({ trainingState: true }));
    }
    await end;
    if (failure) walk.failed.push(`run ${run}: ${textOf(failure)}`);
    else if (!same(await vae.save({ trainingState: true }), whole))
      walk.wrong.push(`run ${run}, while it is saved from`);
    for (const [i, save] of saves.entries()) {
      walk.runs++;
      try {
        using other = await VAE.load(await save, { device, tuning: false });
        const { steps, epochs } = other.trained;
        moments.add(`${at} ${steps}`);
        if (epochs < EPOCHS) await train(other, EPOCHS - epochs);
        if (!same(await other.save({ trainingState: true }), whole)) {
          walk.wrong.push(
            `run ${run}, saved after ${steps} steps: resumed, it is at ${other.trained.steps} with other bits`,
          );
        }
      } catch (error) {
        walk.failed.push(`run ${run}, save ${i}: ${textOf(error)}`);
      }
    }
  }
  walk.moments = moments.size;
  const left = (await Device.open({ device })).allocated.buffers;
  if (left > 0) walk.leaks.push(`${left} buffers after all were disposed of`);
  device.destroy();
  return walk;
}
