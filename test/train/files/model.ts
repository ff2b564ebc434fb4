// The model of the stored files, one of each version of the file format, and how it is trained. Uses only the public
// API, because a file of an older version is made with the sources of its time.
import * as datasets from "../../../src/datasets.js";
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  reshape,
  VAE,
  type ModelSpec,
  type TrainingOptions,
  type VAEOptions,
} from "../../../src/index.js";

/** Every kind of tensor that a file has: of convolutions and dense layers, running statistics, a learned sigma. */
export const spec: ModelSpec = {
  input: [4, 5, 1],
  encoder: [conv2d(3, 3, { stride: 2 }), batchNorm({ activation: "relu" })],
  latent: 2,
  decoder: [
    dense(4, { activation: "relu" }),
    batchNorm(),
    dense(2 * 5 * 2, { activation: "silu" }),
    reshape(2, 5, 2),
    convTranspose2d(1, 3, { stride: [2, 1] }),
  ],
  likelihood: { type: "gaussian", variance: "learned" },
};

const COUNT = 30;
/** Exact as floats, and the same on every machine. */
const values = Float32Array.from({ length: COUNT * 20 }, (_, i) => ((i * i * 7919) % 256) / 128 - 1);
export const data = datasets.fromArray(values, { shape: [4, 5, 1], name: "residues" });

/** An epoch is four steps, the last of six examples, so both ends lie within an epoch. */
const training: TrainingOptions = { batchSize: 8, epochs: 10, learningRate: 0.01 };
/** Steps before the file is saved, and after it is loaded again. */
export const BEFORE = 6;
export const AFTER = 5;

export async function trainFor(vae: VAE, steps: number): Promise<void> {
  await vae.train(data, { ...training, steps });
}

/** The model as it is saved: after the first steps. */
export async function trained(options: Pick<VAEOptions, "device" | "gpu">): Promise<VAE> {
  // Measuring could choose schedules that sum in another order.
  const vae = await VAE.create(spec, { ...options, seed: 7, tuning: false });
  await trainFor(vae, BEFORE);
  return vae;
}

/** Both terms, as stored.json has them. */
export async function elboOf(vae: VAE): Promise<{ reconstruction: number; kl: number }> {
  const { reconstruction, kl } = await vae.elbo(data, { seed: 3, samples: 2 });
  return { reconstruction, kl };
}
