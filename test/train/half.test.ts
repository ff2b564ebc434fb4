// Training in half precision, if the adapter supports it, compared with the same run in single; else the error.
import { describe, expect, it } from "vitest";
import { digits } from "../../src/datasets.js";
import { models, VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  maxPool2d,
  reshape,
  upsample2d,
} from "../../src/layers/json.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const device = await testDevice();
const data = digits({ split: "train", count: 256, seed: 3 });

/** -ELBO of each epoch, and the run's result. */
async function train(spec: ModelSpec, precision: TrainingOptions["precision"], epochs = 3) {
  const vae = await VAE.create(spec, { device, seed: 1, tuning: false });
  try {
    const losses: number[] = [];
    const options = { epochs, batchSize: 32, learningRate: 2e-3, ...(precision ? { precision } : {}) };
    let skipped = 0;
    for await (const report of vae.train(data, options)) {
      if (report.epochEnd) losses.push(-report.epochEnd.train.elbo);
      skipped = report.skipped;
    }
    const { activationBytesUnshared = 0 } = vae.memory();
    return { losses, skipped, activationBytesUnshared, test: await vae.elbo(data, { seed: 5 }) };
  } finally {
    vae.dispose();
  }
}

const small: ModelSpec = {
  input: [28, 28, 1],
  encoder: [conv2d(8, 3, { stride: 2 }), batchNorm({ activation: "silu" }), maxPool2d(2), dense(16), dropout(0.1)],
  latent: 3,
  decoder: [
    dense(7 * 7 * 8, { activation: "relu" }),
    reshape(7, 7, 8),
    upsample2d(2),
    convTranspose2d(8, 3, { stride: 2, activation: "relu" }),
    convTranspose2d(1, 3),
  ],
  likelihood: "bernoulli",
};

if (device.features.has("shader-f16")) {
  describe.each<[string, ModelSpec, number]>([
    ["mlp", models.mlp([28, 28, 1], 10), 3],
    ["convolutions, norm, pooling, dropout", small, 3],
    ["Gaussian with learned sigma", { ...small, likelihood: { type: "gaussian", variance: "learned" } }, 6],
  ])("%s", (_name, spec, epochs) => {
    it("learns in f16 like in f32, with half the memory, and reproducible bits", () =>
      withErrorScopes(device, async () => {
        const single = await train(spec, "f32", epochs);
        const half = await train(spec, "f16", epochs);
        const again = await train(spec, "f16", epochs);
        expect(again).toEqual(half);
        expect(half.skipped).toBe(0);
        const gained = single.losses[0]! - single.losses.at(-1)!;
        expect(gained).toBeGreaterThan(40);
        // Both take the same course except for f16's 11 bits, which separate two runs by far less than either learns.
        half.losses.forEach((loss, epoch) => {
          expect(Math.abs(loss - single.losses[epoch]!), `epoch ${epoch}`).toBeLessThan(0.02 * gained);
        });
        expect(Math.abs(half.test.elbo - single.test.elbo)).toBeLessThan(0.02 * gained);
        expect(half.activationBytesUnshared).toBeLessThan(0.6 * single.activationBytesUnshared);
      }));
  });
} else {
  it("is rejected by name if the device lacks it, before anything is allocated", async () => {
    const vae = await VAE.create(small, { device, tuning: false });
    const before = vae.memory();
    const run = async () => {
      for await (const report of vae.train(data, { precision: "f16" })) void report;
    };
    await expect(run()).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("shader-f16") as string,
    });
    expect(vae.memory()).toEqual(before);
    vae.dispose();
  });
}

it("supports no other precision", async () => {
  const vae = await VAE.create(small, { device, tuning: false });
  const run = async () => {
    for await (const report of vae.train(data, { precision: "f8" as "f16" })) void report;
  };
  await expect(run()).rejects.toMatchObject({ code: "INVALID_OPTION" });
  vae.dispose();
});
