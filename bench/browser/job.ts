// What all libraries in a case train, on a page or in Node.
import type { ComparedModel } from "./cases.js";
import { trainingNoise } from "./noise.js";
import type { Job } from "./protocol.js";

const SEED = 1;
const NOISE_STEPS = 16;

export function jobOf({ spec, batch }: ComparedModel, processors: number): Job {
  return { spec, batch, seed: SEED, learningRate: 1e-3, noiseSteps: NOISE_STEPS, processors };
}

/** [batch, latent] per step. */
export function noiseOf({ spec, batch, seed, noiseSteps }: Job): Float32Array<ArrayBuffer>[] {
  return Array.from({ length: noiseSteps }, (_, step) => trainingNoise(seed, step, batch, spec.latent));
}
