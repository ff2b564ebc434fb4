// An epoch has every example once, including the last few, with an order and a position that belong to the data.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type Dataset, type ModelSpec, type TrainingReport } from "../../src/index.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const spec: ModelSpec = {
  input: [3],
  encoder: [dense(5, { activation: "tanh" })],
  latent: 2,
  decoder: [dense(5, { activation: "tanh" }), dense(3)],
  likelihood: { type: "gaussian", variance: 1 },
};
const waves = (count: number, phase = 0): Dataset =>
  datasets.fromArray(
    Float32Array.from({ length: 3 * count }, (_, i) => Math.sin(i * i + phase)),
    { shape: [3], name: `waves ${phase}` },
  );
const data = waves(10);

async function reportsOf(run: AsyncIterable<TrainingReport>): Promise<TrainingReport[]> {
  const all: TrainingReport[] = [];
  for await (const report of run) all.push(report);
  return all;
}

describe("the last, smaller batch", () => {
  test.each([
    [10, 4, {}, 3],
    [10, 4, { dropLast: true }, 2],
    [8, 4, {}, 2],
    [10, 10, {}, 1],
    // A batch larger than the set becomes the set.
    [10, 128, {}, 1],
    [10, 128, { dropLast: true }, 1],
    [1, 128, {}, 1],
  ])("%i examples in batches of %i, %o: %i steps an epoch", async (count, batchSize, options, steps) => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device });
      const reports = await reportsOf(vae.train(waves(count), { batchSize, epochs: 2, ...options }));
      expect(reports.at(-1)).toMatchObject({ step: 2 * steps, steps: 2 * steps, epoch: 2 });
      expect(reports.filter(({ epochEnd }) => epochEnd)).toHaveLength(2);
      expect(vae.trained).toEqual({ steps: 2 * steps, epochs: 2 });
    });
  });

  test("is trained as a batch of its own size, with the same result as a separate set", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      // With a rate of 0 the weights stay, and the terms of an epoch are means over all its rows.
      using vae = await VAE.create(spec, { device, seed: 3 });
      const still = { epochs: 1, learningRate: 0, shuffle: false, noise: 0 };
      const mean = async (set: Dataset, batchSize: number) => (await vae.train(set, { ...still, batchSize })).epochEnd;
      const all = (await mean(data, 10))!.train;
      const cut = (await mean(data, 4))!.train;
      expect(Math.abs(cut.elbo / all.elbo - 1)).toBeLessThan(1e-6);
      expect(Math.abs(cut.kl / all.kl - 1)).toBeLessThan(1e-5);
      // And its step changes the weights like one of two rows.
      const tail = datasets.fromArray((data.values as Float32Array).slice(24), { shape: [3] });
      const trained = async (set: Dataset, steps: number) => {
        using one = await VAE.create(spec, { device, seed: 3 });
        const rate = ({ step }: { step: number }) => (step === steps - 1 ? 0.1 : 0);
        // Adam's moments from the previous steps contain gradients of other batches.
        const adam = { beta1: 0, beta2: 0 };
        await one.train(set, { ...still, adam, learningRate: rate, batchSize: 4, steps });
        const { mean } = await one.encode(data);
        return mean;
      };
      const [last, alone] = [await trained(data, 3), await trained(tail, 1)];
      last.forEach((value, i) => expect(Math.abs(value - alone[i]!)).toBeLessThan(1e-4));
    });
  });
});

describe("a position in an epoch", () => {
  const place = { batchSize: 1, shuffle: false };
  test("does not outlive the data and batches that it refers to", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      for (const [other, options, steps] of [
        [waves(10, 1), {}, 10],
        [waves(11), {}, 11],
        [data, { batchSize: 2 }, 5],
        [data, { shuffle: true }, 10],
        // The same values in another array are the same data.
        [waves(10), {}, 1],
        [data, {}, 1],
      ] as const) {
        using vae = await VAE.create(spec, { device });
        await vae.train(data, { ...place, steps: 9 });
        const last = await vae.train(other, { ...place, ...options, epochs: 1 });
        expect(last.step, `${other.name} ${JSON.stringify(options)}`).toBe(steps);
        // Also after saving and loading.
        using begun = await VAE.create(spec, { device });
        await begun.train(data, { ...place, steps: 9 });
        using loaded = await VAE.load(await begun.save({ trainingState: true }), { device });
        expect((await loaded.train(other, { ...place, ...options, epochs: 1 })).step).toBe(steps);
      }
    });
  });

  test("continues as it began: a state from before smaller batches were trained leaves them out", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device });
      await vae.train(data, { batchSize: 4, steps: 1, dropLast: true });
      const state = await vae.save({ trainingState: true });
      using loaded = await VAE.load(state, { device });
      expect((await loaded.train(data, { batchSize: 4, epochs: 2 })).steps).toBe(3);
      const text = new TextDecoder("latin1").decode(state);
      const old = text.replace(/\\"dropLast\\":true,\\"place\\":\\"[^"]*\\",/, (found) => " ".repeat(found.length));
      expect(old).not.toBe(text);
      const bytes = Uint8Array.from(old, (character) => character.charCodeAt(0));
      using older = await VAE.load(bytes, { device });
      expect((await older.train(data, { batchSize: 4, epochs: 2 })).steps).toBe(3);
    });
  });
});
