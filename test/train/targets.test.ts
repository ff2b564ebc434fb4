// Training reaches known results: the exact optimum of a linear VAE, and a reference run.
import { expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type Dataset, type ModelSpec } from "../../src/index.js";
import { RandomSequence, Stream } from "../../src/random.js";
import { asFloat32, readSafetensors } from "../../src/safetensors.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { readDataDir } from "../../cli/data_dir.js";
import { localMnist } from "../support/idx.js";

/** Points with standard deviations 2 and 0.5 along two axes turned by 0.6, around (0.5, -0.3). */
function ellipse(count: number): Dataset {
  const random = new RandomSequence(11, Stream.data);
  const [cos, sin] = [Math.cos(0.6), Math.sin(0.6)];
  const rows = Array.from({ length: count }, () => {
    const [u, v] = [2 * random.normal(), 0.5 * random.normal()];
    return [0.5 + cos * u - sin * v, -0.3 + sin * u + cos * v];
  });
  return datasets.fromArray(rows, { shape: [2], name: "ellipse" });
}

/** Mean log-likelihood per point of probabilistic PCA at its optimum with k = 1 (Tipping and Bishop 1999, eq. 9). */
function optimum(points: Float32Array): { logLikelihood: number; sigma: number } {
  const n = points.length / 2;
  let [mx, my] = [0, 0];
  for (let i = 0; i < n; i++) [mx, my] = [mx + points[2 * i]! / n, my + points[2 * i + 1]! / n];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [points[2 * i]! - mx, points[2 * i + 1]! - my];
    [xx, xy, yy] = [xx + (dx * dx) / n, xy + (dx * dy) / n, yy + (dy * dy) / n];
  }
  const middle = (xx + yy) / 2;
  const spread = Math.sqrt(((xx - yy) / 2) ** 2 + xy ** 2);
  const [kept, dropped] = [middle + spread, middle - spread];
  const logLikelihood = -0.5 * (2 * Math.log(2 * Math.PI) + Math.log(kept) + Math.log(dropped) + 2);
  return { logLikelihood, sigma: Math.sqrt(dropped) };
}

/** The ELBO of a linear VAE without sampling: its expectation over q(z|x) is known. */
function exactElbo(file: Uint8Array, points: Float32Array): { elbo: number; sigma: number } {
  const { tensors } = readSafetensors(file);
  const values = (name: string) => Array.from(asFloat32(tensors.get(name)!));
  const [w1 = 0, w2 = 0] = values("decoder.0.weight");
  const [b1 = 0, b2 = 0] = values("decoder.0.bias");
  const [m1 = 0, m2 = 0] = values("mean.weight");
  const [m0 = 0] = values("mean.bias");
  const [s1 = 0, s2 = 0] = values("log_variance.weight");
  const [s0 = 0] = values("log_variance.bias");
  const [raw = 0] = values("log_sigma");
  // The soft floor of the learned log sigma.
  const r = -6 + Math.log1p(Math.exp(raw + 6));
  let sum = 0;
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    const mu = m0 + m1 * x + m2 * y;
    const s = s0 + s1 * x + s2 * y;
    const square = (w1 * mu + b1 - x) ** 2 + (w2 * mu + b2 - y) ** 2 + (w1 * w1 + w2 * w2) * Math.exp(s);
    const reconstruction = 0.5 * square * Math.exp(-2 * r) + 2 * r + Math.log(2 * Math.PI);
    sum -= reconstruction + (mu * mu + Math.exp(s) - 1 - s) / 2;
  }
  return { elbo: sum / (points.length / 2), sigma: Math.exp(r) };
}

test("a linear VAE recovers probabilistic PCA", async () => {
  const device = await testDevice();
  const data = ellipse(1000);
  const points = data.values as Float32Array;
  const best = optimum(points);
  const spec: ModelSpec = {
    input: [2],
    encoder: [],
    latent: 1,
    decoder: [dense(2)],
    likelihood: { type: "gaussian", variance: "learned" },
  };
  await withErrorScopes(device, async () => {
    // The initial weights decide how soon the only latent is used; for some seeds 1,000 steps are too few in any
    // implementation.
    using vae = await VAE.create(spec, { device, seed: 2 });
    // 7 full batches per epoch; 1,001 steps.
    const learningRate = ({ step }: { step: number }) => (step < 700 ? 1e-2 : step < 900 ? 1e-3 : 1e-4);
    for await (const report of vae.train(data, { epochs: 143, batchSize: 128, dropLast: true, learningRate }))
      void report;
    const exact = exactElbo(await vae.save(), points);
    console.log(`linear VAE: ELBO ${exact.elbo.toFixed(4)}, optimum ${best.logLikelihood.toFixed(4)}`);
    expect(exact.elbo).toBeGreaterThan(best.logLikelihood - 0.01);
    expect(exact.elbo).toBeLessThan(best.logLikelihood + 1e-3);
    expect(exact.sigma / best.sigma).toBeGreaterThan(0.98);
    expect(exact.sigma / best.sigma).toBeLessThan(1.02);
    // The library computes the same expectation by sampling: 50,000 draws, a standard error of about 0.005.
    const sampled = await vae.elbo(data, { samples: 50 });
    expect(Math.abs(sampled.elbo - exact.elbo)).toBeLessThan(0.02);
  });
});

const tiny: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(128, { activation: "relu" })],
  latent: 8,
  decoder: [dense(128, { activation: "relu" }), dense(784)],
  likelihood: "bernoulli",
};

/** Five epochs of batches of 128: 390 steps of Adam at 1e-3. */
async function figures(train: Dataset, held: Dataset) {
  const device = await testDevice();
  return withErrorScopes(device, async () => {
    using vae = await VAE.create(tiny, { device, seed: 1 });
    for await (const report of vae.train(train, { epochs: 5, batchSize: 128, dropLast: true })) void report;
    expect(vae.trained.steps).toBe(390);
    const { elbo, kl } = await vae.elbo(held);
    console.log(`small MLP on ${train.name}: -ELBO ${(-elbo).toFixed(2)}, KL ${kl.toFixed(2)}`);
    return { loss: -elbo, kl };
  });
}

test("a small MLP learns the generated digits", async () => {
  const [train, held] = (["train", "test"] as const).map((split) => datasets.digits({ split, count: 10_000, seed: 1 }));
  const { loss, kl } = await figures(train!, held!);
  // This engine's own result for seed 1, not an outside reference, to guard against changes. The spread is MNIST's.
  expect(Math.abs(loss - DIGITS.loss)).toBeLessThan(3);
  expect(Math.abs(kl - DIGITS.kl)).toBeLessThan(0.8);
});

const DIGITS = { loss: 139.3, kl: 14.1 };

const folder = localMnist();
if (folder) {
  test("a small MLP reaches the figures of a JAX reference run on MNIST", async () => {
    const train = datasets.take(await readDataDir(folder, { split: "train" }), 10_000);
    const { loss, kl } = await figures(train, await readDataDir(folder, { split: "test" }));
    // Several seeds of the reference: 150.3 +- 3 and 14.1 +- 0.8.
    expect(Math.abs(loss - 150.3)).toBeLessThan(3);
    expect(Math.abs(kl - 14.1)).toBeLessThan(0.8);
  });
}
