// A run whose weights are too large for any finite gradient ends with the last good weights.
import { expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type ModelSpec, type WebvaeError } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const data = datasets.digits({ split: "train", count: 64, seed: 3 });
const layer = dense(16, { activation: "relu" });
const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [layer],
  latent: 2,
  decoder: [layer, dense(784)],
  likelihood: "bernoulli",
};

/** The error that a run throws. */
async function thrown(run: PromiseLike<unknown>): Promise<WebvaeError> {
  try {
    await run;
  } catch (error) {
    return error as WebvaeError;
  }
  throw new Error("nothing was thrown");
}

test("consecutive skipped steps end it, by default after 16", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 1 });
    await vae.train(data, { epochs: 2, batchSize: 16 });
    const good = await vae.save({ trainingState: true });
    const before = await vae.elbo(data);
    // Large enough for the gradient to overflow, but not the loss.
    const learningRate = ({ step }: { step: number }) => (step === 8 ? 1e6 : 1e-3);
    for (const maxSkipped of [undefined, 3]) {
      using run = await VAE.load(good, { device });
      const count = maxSkipped ?? 16;
      const error = await thrown(
        run.train(data, { epochs: 100, batchSize: 16, learningRate, ...(maxSkipped ? { maxSkipped } : {}) }),
      );
      expect(error).toEqual(fault("NON_FINITE", new RegExp(`${count} steps in a row.*smaller learning rate`)));
      const steps = Number(/after (\d+) steps/.exec(error.message)?.[1]);
      expect(steps).toBeGreaterThanOrEqual(8);
      expect(run.trained.steps).toBe(steps);
      // Only the rate of step 8 has spoiled them.
      expect((await run.elbo(data)).elbo).toBeGreaterThan(before.elbo - 20);
      expect((await run.train(data, { steps: 4, batchSize: 16 })).skipped).toBe(0);
    }
  });
});

test("advice fits the cause: one extreme value in the data", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    const values = new Float32Array(60).fill(0.5);
    values[3 * 7 + 1] = 1e20;
    const spoiled = datasets.fromArray(values, { shape: [3], name: "table" });
    const model: ModelSpec = {
      ...spec,
      input: [3],
      decoder: [layer, dense(3)],
      likelihood: { type: "gaussian", variance: 1 },
    };
    using vae = await VAE.create(model, { device });
    const cause = /largest value of table is 1\.00e\+20/;
    for (const call of [() => vae.train(spoiled, { batchSize: 20 }), () => vae.elbo(spoiled)]) {
      const error = await thrown(call());
      expect(error.code).toBe("NON_FINITE");
      expect(error.message).toMatch(cause);
      expect(error.message).toMatch(/row 7, column 1.*standardise/);
    }
  });
});
