// Each example's ELBO, computed with the library's public API: encode, decode draws from q(z|x), and sum up.
import type { VAE } from "webvae";
import { valuesOf } from "./shapes.js";

/** Draws of z per example. The noise is the same for all examples, so that their ELBOs are comparable. */
const DRAWS = 2;
/** Bernoulli probabilities are f32 and are clamped to stay at least this far from 0 and 1. */
const SMALLEST = 1e-7;

export async function exampleElbos(vae: VAE, x: Float32Array): Promise<number[]> {
  const { latent, likelihood } = vae.spec;
  const size = valuesOf(vae.spec);
  const { mean, logVariance } = await vae.encode(x);
  const variance =
    likelihood === "bernoulli"
      ? undefined
      : likelihood.variance === "learned"
        ? await learnedVariance(vae)
        : likelihood.variance;
  const kl = klOf(mean, logVariance, latent);
  const losses = kl.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const e = normals(latent, draw);
    const z = mean.map((m, i) => m + Math.exp(logVariance[i]! / 2) * e[i % latent]!);
    const y = await vae.decode(z);
    for (let row = 0; row < losses.length; row++) {
      const [from, to] = [row * size, (row + 1) * size];
      losses[row]! += reconstructionLoss(x.subarray(from, to), y.subarray(from, to), variance) / DRAWS;
    }
  }
  return kl.map((nats, row) => -(nats + losses[row]!));
}

/** KL(q(z|x), N(0, 1)) of each row, in nats. */
export function klOf(mean: Float32Array, logVariance: Float32Array, latent: number): number[] {
  return Array.from({ length: mean.length / latent }, (_, row) => {
    let sum = 0;
    for (let i = row * latent; i < (row + 1) * latent; i++) {
      const s = logVariance[i]!;
      sum += (mean[i]! ** 2 + Math.exp(s) - 1 - s) / 2;
    }
    return sum;
  });
}

/** -log p(x|y): Bernoulli if there is no variance, else Gaussian. */
export function reconstructionLoss(x: Float32Array, y: Float32Array, variance?: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (variance === undefined) {
      const p = Math.min(1 - SMALLEST, Math.max(SMALLEST, y[i]!));
      sum -= x[i]! * Math.log(p) + (1 - x[i]!) * Math.log(1 - p);
    } else sum += (x[i]! - y[i]!) ** 2 / (2 * variance) + Math.log(2 * Math.PI * variance) / 2;
  }
  return sum;
}

/** A learned sigma is not part of the public API, but its noise is: draws of x minus their means. */
async function learnedVariance(vae: VAE): Promise<number> {
  const count = Math.ceil(4096 / valuesOf(vae.spec));
  const noisy = await vae.sample(count, { seed: 1, noise: true });
  const means = await vae.sample(count, { seed: 1 });
  return noisy.reduce((sum, value, i) => sum + (value - means[i]!) ** 2, 0) / noisy.length;
}

/** Standard normal numbers (mulberry32, Box-Muller), the same for the same seed. */
export function normals(count: number, seed: number): Float32Array {
  let state = seed | 0;
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
