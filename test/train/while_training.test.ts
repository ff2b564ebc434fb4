// Calls during a run: each sees the model as it is between two steps.
import { expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const data = datasets.digits({ split: "train", count: 300, seed: 3 });
const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(32, { activation: "relu" })],
  latent: 4,
  decoder: [dense(32, { activation: "relu" }), dense(784)],
  likelihood: "bernoulli",
};
const options: TrainingOptions = { batchSize: 32, submitMs: 5, epochs: 6 };

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A learning rate that calls `act` shortly after some steps are created, at any moment of the run. */
const acting = (steps: readonly number[], act: (i: number) => void) => {
  const left = [...steps];
  return ({ step }: { step: number }) => {
    if (step >= (left[0] ?? Infinity)) {
      const i = steps.length - left.length;
      left.shift();
      setTimeout(act, (i * 53) % 7, i);
    }
    return 1e-3;
  };
};

test("a checkpoint made at any time, resumed, ends with the run's bits", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 5, tuning: false });
    const saves: Promise<Uint8Array>[] = [];
    const save = () => void saves.push(vae.save({ trainingState: true }));
    await vae.train(data, { ...options, learningRate: acting([3, 11, 19, 28, 41, 52], save) });
    const whole = await vae.save({ trainingState: true });
    expect(saves).toHaveLength(6);
    const steps = new Set<number>();
    for (const bytes of await Promise.all(saves)) {
      using other = await VAE.load(bytes, { device, tuning: false });
      const { steps: done, epochs } = other.trained;
      steps.add(done);
      if (epochs < 6) await other.train(data, { ...options, epochs: 6 - epochs });
      expect(other.trained).toEqual(vae.trained);
      const again = await other.save({ trainingState: true });
      expect(Buffer.compare(again, whole), `saved after ${done} steps`).toBe(0);
    }
    // A single moment would prove little.
    expect(steps.size).toBeGreaterThan(2);
  });
});

test("elbo, score, encode and sample use one step's weights, and say which", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 5, tuning: false });
    const made: Promise<{ step: number; values: ArrayLike<number> }>[] = [];
    const evaluated = async () => {
      const { step, elbo, reconstruction, kl } = await vae.elbo(data);
      return { step, values: [elbo, reconstruction, kl] };
    };
    const encoded = async () => {
      const { step, mean } = await vae.encode(data);
      return { step, values: mean };
    };
    const scored = async () => {
      const { step, elbo } = await vae.score(data);
      return { step, values: elbo };
    };
    const act = (i: number) => void made.push([evaluated, encoded, scored][i % 3]!());
    await vae.train(data, { ...options, learningRate: acting([3, 11, 19, 28, 41, 52], act) });
    const all = await Promise.all(made);
    expect(all).toHaveLength(6);
    for (const [i, { step, values }] of all.entries()) {
      using other = await VAE.create(spec, { device, seed: 5, tuning: false });
      if (step > 0) await other.train(data, { ...options, epochs: 100, steps: step });
      expect(other.trained.steps).toBe(step);
      const { elbo, reconstruction, kl } = await other.elbo(data);
      const again = [[elbo, reconstruction, kl], (await other.encode(data)).mean, (await other.score(data)).elbo];
      expect(values, `call ${i} at step ${step}`).toEqual(again[i % 3]);
    }
    expect(new Set(all.map(({ step }) => step)).size).toBeGreaterThan(1);
  });
});

test("the mean of the scores is the ELBO, and a score depends only on its example", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 5 });
    const scores = await vae.score(data, { samples: 3, seed: 9 });
    const terms = await vae.elbo(data, { samples: 3, seed: 9 });
    expect(scores.elbo).toHaveLength(300);
    for (const name of ["elbo", "reconstruction", "kl"] as const) {
      const mean = scores[name].reduce((sum, value) => sum + value, 0) / 300;
      expect(Math.abs(mean / terms[name] - 1)).toBeLessThan(1e-6);
    }
    // Draws depend on the example's index, so the first ones have the same scores in any set.
    const few = await vae.score(datasets.take(data, 7), { samples: 3, seed: 9 });
    expect(few.elbo).toEqual(scores.elbo.slice(0, 7));
    // A different kind of picture has a lower ELBO than all digits.
    await vae.train(data, { epochs: 8, batchSize: 32, learningRate: 5e-3 });
    const noise = datasets.fromArray(
      Uint8Array.from({ length: 784 }, (_, i) => (i * 7919) % 256),
      { shape: [28, 28, 1] },
    );
    const trained = await vae.score(data);
    expect((await vae.score(noise)).elbo[0]).toBeLessThan(Math.min(...trained.elbo));
  });
});

test("train, awaited, runs to its end and returns the last report; iterated, yields the reports; both are BUSY", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 5 });
    const once = vae.train(data, { epochs: 1, batchSize: 32 });
    // Nothing starts before it is awaited.
    await pause(30);
    expect(vae.trained.steps).toBe(0);
    const [first, second] = await Promise.all([once, once.then((report) => report)]);
    expect(first.step).toBe(10);
    expect(first.epochEnd?.train.elbo).toBeLessThan(0);
    expect(second).toBe(first);
    expect(vae.trained).toEqual({ steps: 10, epochs: 1 });
    await expect(once.next()).rejects.toThrow(fault("BUSY", /awaited/));

    const iterated = vae.train(data, { epochs: 1, batchSize: 32 });
    expect((await iterated.next()).done).toBe(false);
    await expect((async () => await iterated)()).rejects.toThrow(fault("BUSY", /iterated/));
    await expect(vae.train(data)).rejects.toThrow(fault("BUSY", /return\(\)/));
    await iterated.return();
    expect(await iterated.next()).toEqual({ done: true, value: undefined });
    await expect(vae.train(data, { epochs: 0 }).catch((error: unknown) => (error as Error).message)).resolves.toMatch(
      /epochs/,
    );
    let settled = false;
    await vae.train(data, { steps: 1 }).finally(() => (settled = true));
    expect(settled).toBe(true);
    expect(iterated[Symbol.toStringTag]).toBe("Training");
  });
});

test("a run dropped without return ends when it is garbage-collected", { timeout: 120_000 }, async () => {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const device = await testDevice();
  using vae = await VAE.create(spec, { device });
  const drop = async () => void (await vae.train(data, { epochs: 1000, batchSize: 32 }).next());
  await drop();
  for (let tries = 0; tries < 200; tries++) {
    collect();
    await pause(20);
    try {
      await vae.train(data, { steps: 1 });
      return;
    } catch (error) {
      expect(error).toEqual(fault("BUSY", /one run at a time/));
    }
  }
  throw new Error("it is still busy");
});
