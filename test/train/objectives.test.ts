// Runs that minimise the importance-weighted bound: that they learn, repeat and resume bit for bit, and report it.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, models, VAE, type ModelSpec, type TrainingOptions, type TrainingReport } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const device = await testDevice();
const data = datasets.fromArray(
  Float32Array.from({ length: 6 * 70 }, (_, i) => Math.sin(i * i)),
  { shape: [6], name: "waves" },
);
const objective = { type: "iwae", samples: 5 } as const;
const training: TrainingOptions = { objective, batchSize: 16, learningRate: 0.01 };
const create = (spec: ModelSpec = models.points([6], 2)) => VAE.create(spec, { device, seed: 4, tuning: false });

async function reportsOf(vae: VAE, options: TrainingOptions): Promise<TrainingReport[]> {
  const reports: TrainingReport[] = [];
  for await (const report of vae.train(data, options)) reports.push(report);
  return reports;
}

describe("iwae", () => {
  test("reports its bound as the objective, above the negative ELBO's, and falls", () =>
    withErrorScopes(device, async () => {
      using vae = await create();
      const reports = await reportsOf(vae, { ...training, epochs: 15, test: data });
      for (const { terms, objective, elbo, reconstruction, kl } of reports) {
        expect(Object.keys(terms)).toEqual(["reconstruction", "kl", "bound"]);
        expect(terms).toMatchObject({ reconstruction, kl });
        expect(objective).toBe(terms.bound);
        expect(elbo).toBe(-(reconstruction + kl));
      }
      const bounds = reports.map(({ terms }) => terms.bound!);
      expect(bounds.at(-1)!).toBeLessThan(bounds[0]! - 0.5);
      // Five draws are tighter than one, but for the noise of a batch: log q - log p of a draw is not its mean, the KL term.
      const gaps = reports.map(({ terms, elbo }) => -elbo - terms.bound!);
      expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeGreaterThan(0);
    }));

  test("the same seed gives the same bits, resumed or not", () =>
    withErrorScopes(device, async () => {
      using whole = await create();
      await whole.train(data, { ...training, steps: 12 });
      using part = await create();
      await part.train(data, { ...training, steps: 7 });
      using resumed = await VAE.load(await part.save({ trainingState: true }), { device, tuning: false });
      await resumed.train(data, { ...training, steps: 5 });
      const bytes = (vae: VAE) => vae.save({ trainingState: true });
      expect(Buffer.from(await bytes(resumed)).equals(Buffer.from(await bytes(whole)))).toBe(true);
    }));

  test("one draw is the ELBO with log q - log p of the draw, so other gradients than its mean's", () =>
    withErrorScopes(device, async () => {
      using one = await create();
      const [report] = await reportsOf(one, { ...training, objective: { type: "iwae", samples: 1 }, steps: 1 });
      // Of one draw the bound is that draw's ELBO.
      expect(Math.abs(report!.terms.bound! + report!.elbo)).toBeLessThan(1);
    }));

  test.each<[string, TrainingOptions, RegExp]>([
    ["another beta", { objective, beta: 2 }, /beta must be 1 with the objective/],
    ["a schedule of beta", { objective, beta: () => 1 }, /beta must be 1/],
    ["less noise", { objective, noise: 0.5 }, /noise must be 1/],
    [
      "no draws",
      { objective: { type: "iwae", samples: 0 } },
      /objective: samples must be a whole number from 1 to 1024, not 0/,
    ],
    ["an unknown type", { objective: { type: "iwea" } as never }, /objective: expected "elbo" or .*found/],
    [
      "its name without the draws",
      { objective: "iwae" as never },
      /objective: expected "elbo" or \{ type: "iwae", samples \}/,
    ],
    ["an unknown key", { objective: { ...objective, k: 5 } as never }, /unknown key "k"; known are type, samples/],
  ])("%s is refused before anything is allocated", async (_, options, message) => {
    using vae = await create();
    const before = vae.memory();
    await expect(vae.train(data, { ...options, batchSize: 16 })).rejects.toThrow(fault("INVALID_OPTION", message));
    expect(vae.memory()).toEqual(before);
  });

  test('"elbo" is the default, bit for bit', () =>
    withErrorScopes(device, async () => {
      const [named, usual] = [await create(), await create()];
      await named.train(data, { objective: "elbo", batchSize: 16, steps: 5 });
      await usual.train(data, { batchSize: 16, steps: 5 });
      expect(Buffer.from(await named.save()).equals(Buffer.from(await usual.save()))).toBe(true);
      named.dispose();
      usual.dispose();
    }));

  test("a last, smaller batch is trained like the others, and halves of precision too", () =>
    withErrorScopes(device, async () => {
      using vae = await create();
      const reports = await reportsOf(vae, { ...training, batchSize: 32, epochs: 2 });
      expect(vae.trained).toEqual({ steps: 6, epochs: 2 });
      for (const { terms } of reports) expect(Number.isFinite(terms.bound)).toBe(true);
      if (!device.features.has("shader-f16")) return;
      const half = await reportsOf(vae, { ...training, precision: "f16", epochs: 1 });
      expect(half.every(({ terms, skipped }) => Number.isFinite(terms.bound) && skipped === 0)).toBe(true);
    }));

  test("convolutions decode all draws of an example", () =>
    withErrorScopes(device, async () => {
      const images = datasets.fromArray(
        Uint8Array.from({ length: 64 * 20 }, (_, i) => (i * 37) % 256),
        { shape: [8, 8, 1] },
      );
      using vae = await VAE.create(models.conv([8, 8, 1], 2), { device, seed: 1, tuning: false });
      const last = await vae.train(images, { objective, batchSize: 10, epochs: 1 });
      expect(last?.terms.bound).toBeLessThan(-last.elbo);
      expect((await vae.logLikelihood(images, { samples: 20 })).logLikelihood).toBeLessThan(0);
    }));
});

describe("a mixture prior", () => {
  const spec: ModelSpec = { ...models.points([6], 2), prior: { type: "mixture", components: 4 } };

  test("reports log q and log p apart, and draws samples from its components", () =>
    withErrorScopes(device, async () => {
      using vae = await create(spec);
      const reports = await reportsOf(vae, { batchSize: 16, epochs: 8, learningRate: 0.01, test: data });
      for (const { terms, kl, klPerLatent, objective, reconstruction, elbo } of reports) {
        expect(Object.keys(terms)).toEqual(["reconstruction", "kl.posterior", "kl.prior"]);
        expect(kl).toBeCloseTo(terms["kl.posterior"]! + terms["kl.prior"]!, 10);
        expect(klPerLatent).toHaveLength(0);
        expect(objective).toBeCloseTo(-elbo, 6);
        expect(elbo).toBe(-(reconstruction + kl));
      }
      expect(reports.at(-1)!.elbo).toBeGreaterThan(reports[0]!.elbo);
      const { elbo, reconstruction, kl } = await vae.score(data);
      const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value / values.length, 0);
      const terms = await vae.elbo(data);
      expect(mean(elbo)).toBeCloseTo(terms.elbo, 3);
      expect(mean(reconstruction)).toBeCloseTo(terms.reconstruction, 3);
      expect(mean(kl)).toBeCloseTo(terms.kl, 3);
      // At temperature 0 only the components' means are left.
      const means = await vae.sample(200, { temperature: 0, seed: 1 });
      const distinct = new Set(Array.from({ length: 200 }, (_, i) => String(means.subarray(i * 6, (i + 1) * 6))));
      expect(distinct.size).toBe(4);
    }));

  test("is saved with the model, resumed bit for bit, and loads", () =>
    withErrorScopes(device, async () => {
      using whole = await create(spec);
      await whole.train(data, { batchSize: 16, steps: 6 });
      using part = await create(spec);
      await part.train(data, { batchSize: 16, steps: 2 });
      using resumed = await VAE.load(await part.save({ trainingState: true }), { device, tuning: false });
      expect(resumed.spec).toEqual(spec);
      await resumed.train(data, { batchSize: 16, steps: 4 });
      expect(Buffer.from(await resumed.save()).equals(Buffer.from(await whole.save()))).toBe(true);
      expect(await resumed.sample(5, { seed: 2 })).toEqual(await whole.sample(5, { seed: 2 }));
    }));

  test("N(0, 1) by its name is no prior of its own", async () => {
    const plain = models.points([6], 2);
    using vae = await create({ ...plain, prior: "normal" });
    expect(vae.spec).toEqual(plain);
  });

  test.each<[string, unknown, RegExp]>([
    ["an unknown type", "vamp", /prior: expected "normal" or \{ type: "mixture", components \}, found "vamp"/],
    ["another library's word", { type: "gmm" }, /write \{ type: "mixture", components: 10 \}/],
    ["no components", { type: "mixture", components: 0 }, /prior: components: expected a whole number from 1/],
    ["too many", { type: "mixture", components: 5000 }, /prior: components: at most 4096, found 5000/],
    ["an unknown key", { type: "mixture", components: 2, k: 1 }, /prior: unknown key "k"; known are type, components/],
  ])("%s is refused", async (_, prior, message) => {
    await expect(create({ ...models.points([6], 2), prior: prior as never })).rejects.toThrow(
      fault("INVALID_SPEC", message),
    );
  });
});

test("a model without hidden layers has all of it", () =>
  withErrorScopes(device, async () => {
    const spec: ModelSpec = {
      ...{ input: [6], encoder: [], latent: 1, decoder: [dense(6)], likelihood: { type: "gaussian", variance: 1 } },
      prior: { type: "mixture", components: 2 },
    };
    using vae = await create(spec);
    const last = await vae.train(data, { ...training, epochs: 1 });
    expect(Object.keys(last.terms)).toEqual(["reconstruction", "kl.posterior", "kl.prior", "bound"]);
  }));
