// Each latent's share of the KL term, in reports and figures, compared with the f64 formula on the result of `encode`.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, models, VAE, type ModelSpec, type Terms } from "../../src/index.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const COUNT = 300; // more than an evaluation's batch of 256
const specs: Readonly<Record<string, ModelSpec>> = Object.fromEntries(
  [1, 3, 4, 5, 9].map((latent) => [`${latent} latents`, { ...models.points([6], latent), encoder: [dense(8)] }]),
);
const data = datasets.fromArray(
  Float32Array.from({ length: 6 * COUNT }, (_, i) => Math.sin(i * i)),
  { shape: [6] },
);
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

function expectShares({ kl, klPerLatent }: Terms, latent: number): void {
  expect(klPerLatent).toBeInstanceOf(Float32Array);
  expect(klPerLatent).toHaveLength(latent);
  expect(Math.min(...klPerLatent)).toBeGreaterThanOrEqual(0);
  expect(Math.abs(sum(klPerLatent) / kl - 1)).toBeLessThan(1e-6);
}

describe.each(Object.entries(specs))("%s", (_, spec) => {
  test("match the formula, and add up to kl", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 5, tuning: false });
      const run = vae.train(data, { epochs: 2, batchSize: 64, test: data });
      let reports = 0;
      for await (const report of run) {
        reports++;
        expectShares(report, spec.latent);
        if (!report.epochEnd) continue;
        expectShares(report.epochEnd.train, spec.latent);
        expectShares(report.epochEnd.test!, spec.latent);
      }
      expect(reports).toBeGreaterThan(1);

      const { mean, logVariance } = await vae.encode(data);
      const expected = Array.from({ length: spec.latent }, (_, j) =>
        sum(
          Array.from({ length: COUNT }, (_, row) => {
            const [m, s] = [mean[row * spec.latent + j]!, logVariance[row * spec.latent + j]!];
            return (m ** 2 + Math.expm1(s) - s) / 2 / COUNT;
          }),
        ),
      );
      // For any number of draws, since the KL term needs none.
      for (const samples of [1, 3]) {
        const terms = await vae.elbo(data, { samples });
        expectShares(terms, spec.latent);
        terms.klPerLatent.forEach((nats, j) => expect(Math.abs(nats / expected[j]! - 1)).toBeLessThan(1e-5));
        const { kl } = await vae.score(data, { samples });
        expect(Math.abs(sum(kl) / COUNT / terms.kl - 1)).toBeLessThan(1e-6);
      }
    });
  });
});

test("an unused latent has none", async () => {
  const device = await testDevice();
  using vae = await VAE.create(models.points([6], 4), { device, seed: 5, tuning: false });
  // If the KL term has a large weight, all of them collapse.
  await vae.train(data, { epochs: 150, batchSize: 64, beta: 50, learningRate: 3e-3 });
  expect(Math.max(...(await vae.elbo(data)).klPerLatent)).toBeLessThan(0.01);
});
