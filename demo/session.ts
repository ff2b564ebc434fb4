// What the page trains: one model, its data, and what has been measured so far. No DOM.
import { models, VAE, type TrainingReport } from "webvae";
import type { DigitSets } from "./digits_worker.js";
import type { Point } from "./chart.js";

export const LATENT = 20;
export const BATCH = 128;
export const SAMPLES = 64;
const SEED = 1;

export interface Position {
  /** From 1. */
  readonly epoch: number;
  /** Steps of this epoch. */
  readonly step: number;
  readonly stepsPerEpoch: number;
}

export class Session {
  readonly train: Point[] = [];
  readonly test: Point[] = [];
  /** Spent on training, pauses left out. */
  seconds = 0;
  stepsPerSecond: number | undefined;
  readonly #latents = normals(SAMPLES * LATENT);
  readonly #originals: Float32Array;

  private constructor(
    readonly vae: VAE,
    private readonly sets: DigitSets,
  ) {
    this.#originals = oneOfEach(sets.test);
  }

  /** Throws what VAE.create throws. */
  static async create(sets: DigitSets): Promise<Session> {
    return new Session(await VAE.create(models.mlp(sets.train.shape, LATENT), { seed: SEED }), sets);
  }

  get stepsPerEpoch(): number {
    return Math.floor(this.sets.train.count / BATCH);
  }

  get epochs(): number {
    return this.vae.trained.steps / this.stepsPerEpoch;
  }

  /** Trains until `epochs` epochs are done in all. Ends early, without an error, where `signal` aborts. */
  async run(
    epochs: number,
    learningRate: number,
    signal: AbortSignal,
    onReport: (position: Position, report: TrainingReport) => void,
  ): Promise<void> {
    const { stepsPerEpoch, sets, vae } = this;
    const before = { steps: vae.trained.steps, seconds: this.seconds };
    const whole = Math.floor(before.steps / stepsPerEpoch);
    const options = { epochs: epochs - whole, batchSize: BATCH, learningRate, test: sets.test, signal };
    try {
      for await (const report of vae.train(sets.train, options)) {
        const steps = before.steps + report.step;
        this.seconds = before.seconds + report.seconds;
        this.stepsPerSecond = report.stepsPerSecond;
        this.train.push({ epoch: steps / stepsPerEpoch, loss: -report.elbo });
        const epoch = Math.ceil(steps / stepsPerEpoch);
        const { test } = report.epochEnd ?? {};
        if (test) this.test.push({ epoch, loss: -test.elbo });
        onReport({ epoch, step: steps - (epoch - 1) * stepsPerEpoch, stepsPerEpoch }, report);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Images of the latents that stay the same, and ten test digits with their reconstructions after them. */
  async pictures(): Promise<{ samples: Float32Array; pairs: Float32Array }> {
    const samples = await this.vae.decode(this.#latents);
    const reconstructions = await this.vae.reconstruct(this.#originals);
    const pairs = new Float32Array(2 * reconstructions.length);
    pairs.set(this.#originals);
    pairs.set(reconstructions, reconstructions.length);
    return { samples, pairs };
  }
}

/** The first test image of each class. */
function oneOfEach({ values, labels, count }: DigitSets["test"]): Float32Array {
  const size = values.length / count;
  const images = new Float32Array(10 * size);
  for (let digit = 0; digit < 10; digit++) {
    const at = Math.max(0, labels?.indexOf(digit) ?? digit) * size;
    images.set(
      Float32Array.from(values.subarray(at, at + size), (value) => value / 255),
      digit * size,
    );
  }
  return images;
}

/** The same standard normal numbers at every visit (mulberry32, Box and Muller). */
function normals(count: number): Float32Array {
  let state = 7;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
