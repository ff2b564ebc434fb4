// Values that change by step and come from outside: the noise factor, schedules that read values that a page changes
// during the run, and the length of a submit.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import {
  dense,
  VAE,
  type ModelSpec,
  type ScheduleSpec,
  type TrainingOptions,
  type TrainingReport,
} from "../../src/index.js";
import { scheduleFunction } from "../../src/schedules.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const data = datasets.digits({ split: "train", count: 64, seed: 3 });
const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(16, { activation: "relu" })],
  latent: 3,
  decoder: [dense(16, { activation: "relu" }), dense(784)],
  likelihood: "bernoulli",
};
/** One step per epoch, on all data; the weights do not change. */
const still: TrainingOptions = { batchSize: 64, learningRate: 0 };

async function reports(vae: VAE, options: TrainingOptions): Promise<TrainingReport[]> {
  const all: TrainingReport[] = [];
  for await (const report of vae.train(data, options)) all.push(report);
  return all;
}

/** Nats per example of the data, decoded from the means of their latents. */
async function plainReconstruction(vae: VAE): Promise<number> {
  const y = await vae.reconstruct(data);
  let sum = 0;
  data.values.forEach((byte, i) => (sum -= (byte / 255) * Math.log(y[i]!) + (1 - byte / 255) * Math.log(1 - y[i]!)));
  return sum / data.count;
}

describe("noise", () => {
  test("0 decodes the means, the same in every run; 1 decodes draws", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 1 });
      const plain = await plainReconstruction(vae);
      const [once] = await reports(vae, { ...still, epochs: 1, noise: 0 });
      // f32 sums, and probabilities instead of logits.
      expect(Math.abs(once!.reconstruction / plain - 1)).toBeLessThan(1e-5);
      // Another step and so another draw, which does not matter.
      const [again] = await reports(vae, { ...still, epochs: 1, noise: 0, shuffle: false });
      expect(Math.abs(again!.reconstruction / plain - 1)).toBeLessThan(1e-5);
      const [drawn] = await reports(vae, { ...still, epochs: 1 });
      expect(Math.abs(drawn!.reconstruction / plain - 1)).toBeGreaterThan(1e-4);
    });
  });

  test("0 gives the same weights whatever the noise's seed", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using first = await VAE.create(spec, { device, seed: 1 });
      const start = await first.save();
      const ends: Record<string, Uint8Array> = {};
      for (const noise of [0, 0.5]) {
        for (const seed of [1, 2]) {
          using vae = await VAE.load(start, { device, seed });
          await reports(vae, { batchSize: 64, shuffle: false, epochs: 6, noise });
          ends[`${noise} ${seed}`] = await vae.save();
        }
      }
      expect(ends["0 2"]).toEqual(ends["0 1"]);
      expect(ends["0.5 2"]).not.toEqual(ends["0.5 1"]);
      expect(ends["0 1"]).not.toEqual(start);
    });
  });

  test("evaluation and sampling use full noise after a run without any", async () => {
    const device = await testDevice();
    using vae = await VAE.create(spec, { device, seed: 1 });
    const before = await vae.elbo(data, { seed: 4 });
    const [end] = await reports(vae, { ...still, epochs: 1, noise: 0, test: data });
    expect({ ...(await vae.elbo(data, { seed: 4 })), step: 0 }).toEqual({ ...before, step: 0 });
    expect(end!.epochEnd!.test!.reconstruction).not.toBeCloseTo(end!.epochEnd!.train.reconstruction, 3);
  });

  test("values that a schedule function reads may change during the run", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 1 });
      const plain = await plainReconstruction(vae);
      let noise = 1;
      const errors: number[] = [];
      // An epoch begins when the previous one is done, so changes in between apply from the next step.
      for await (const report of vae.train(data, { ...still, epochs: 6, noise: () => noise })) {
        errors.push(Math.abs(report.reconstruction / plain - 1));
        noise = report.epoch < 3 ? 1 : 0;
      }
      expect(errors).toHaveLength(6);
      for (const error of errors.slice(0, 3)) expect(error).toBeGreaterThan(1e-4);
      for (const error of errors.slice(3)) expect(error).toBeLessThan(1e-5);
    });
  });
});

test("submitMs: a short submit has one step, a default one several", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 1 });
    const submits: number[] = [];
    for (const options of [{ submitMs: 0.001 }, {}]) {
      await reports(vae, { ...options, epochs: 1, batchSize: 2 });
      expect(vae.counts!.steps).toBe(32);
      submits.push(vae.counts!.submits);
    }
    expect(submits[0]).toBe(32);
    expect(submits[1]).toBeLessThan(32);
  });
});

describe("a schedule as JSON", () => {
  const [E, N] = [3, 5];
  /** Of 3 epochs of 5 steps each, against plain formulas of the step. */
  const cases: [ScheduleSpec, (step: number) => number][] = [
    [{ type: "linear", from: 0, to: 1, epochs: 2 }, (t) => Math.min(1, t / (2 * N))],
    [{ type: "linear", from: 1, to: 0.25, steps: 4 }, (t) => (t < 4 ? 1 - (0.75 * t) / 4 : 0.25)],
    [{ type: "sigmoid", from: 0, to: 2, steps: 10 }, (t) => 2 / (1 + Math.exp(6 - 1.2 * t))],
    [
      { type: "cosine", from: 0.1, to: 0, epochs: E },
      (t) => 0.05 * (1 + Math.cos((Math.PI * Math.min(t, E * N)) / (E * N))),
    ],
    [{ type: "cyclical", from: 0, to: 1, steps: 4 }, (t) => [0, 0.5, 1, 1][t % 4]!],
    [{ type: "cyclical", from: 1, to: 3, epochs: 1, ramp: 1 }, (t) => 1 + (2 * (t % N)) / N],
    [{ type: "step", from: 0.01, factor: 0.5, epochs: 1 }, (t) => 0.01 * 0.5 ** Math.floor(t / N)],
  ];

  test.each(cases)("%o", (spec, formula) => {
    const at = scheduleFunction(spec, "beta");
    for (let step = 0; step < 2 * E * N; step++) {
      const value = at({ step, epoch: Math.floor(step / N), stepsPerEpoch: N });
      expect(Math.abs(value - formula(step)), `step ${step}: ${value}`).toBeLessThan(1e-12);
    }
  });

  test("trains to the bits that the function with the same values trains to", async () => {
    const device = await testDevice();
    const bits = async (options: TrainingOptions) => {
      using vae = await VAE.create(spec, { device, seed: 2 });
      await vae.train(data, { batchSize: 16, epochs: 2, ...options });
      return Buffer.from(await vae.save({ trainingState: true }));
    };
    const json = await bits({
      learningRate: { type: "cosine", from: 0.01, to: 0, epochs: 2 },
      beta: { type: "linear", from: 0, to: 1, steps: 4 },
      noise: { type: "step", from: 1, factor: 0.5, steps: 3 },
    });
    const functions = await bits({
      learningRate: ({ step }) => 0.01 + (0 - 0.01) * ((1 - Math.cos(Math.PI * Math.min(step / 8, 1))) / 2),
      beta: ({ step }) => Math.min(step / 4, 1),
      noise: ({ step }) => 0.5 ** Math.floor(step / 3),
    });
    expect(Buffer.compare(json, functions)).toBe(0);
    expect(Buffer.compare(json, await bits({ learningRate: 0.01 }))).not.toBe(0);
  });

  test.each([
    [{ type: "lineer", from: 0, to: 1, epochs: 1 }, /beta\.type must be one of linear, .*did you mean "linear"/],
    [{ from: 0, to: 1, epochs: 1 }, /beta\.type must be one of .*, not undefined/],
    [{ type: "linear", from: 0, to: 1 }, /beta: .* one of epochs and steps/],
    [{ type: "linear", from: 0, to: 1, epochs: 1, steps: 2 }, /beta: .* one of epochs and steps/],
    [{ type: "linear", from: 0, to: 1, epochs: 1, factor: 2 }, /beta: unknown key "factor"; known are type, .*, to/],
    [{ type: "linear", from: 0, epochs: 1 }, /beta\.to must be a number from 0 to 1000000, not undefined/],
    [{ type: "step", from: 0, factor: -1, steps: 1 }, /beta\.factor must be a number from 0 to 1000, not -1/],
    [{ type: "cosine", from: 0, to: 1, steps: 1.5 }, /beta\.steps must be a whole number/],
    [{ type: "cosine", from: 0, to: 1, epochs: 0 }, /beta\.epochs must be a number from/],
  ])("%o says what is wrong, before anything is trained", async (json, message) => {
    const device = await testDevice();
    using vae = await VAE.create(spec, { device, seed: 1 });
    const run = vae.train(data, { beta: json as unknown as ScheduleSpec });
    await expect(run).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringMatching(message) as string }),
    );
    expect((await vae.elbo(data)).step).toBe(0);
  });
});
