// Models that are conditioned on labels: they learn what a label says, and every call that needs a condition asks for it.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { conv2d, convTranspose2d, dense, models, reshape, VAE, type ModelSpec } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const device = await testDevice();
const [SIDE, CLASSES, COUNT] = [4, 3, 90];

/** The row of the picture that the label names is bright; one pixel elsewhere says which example it is. */
const values = new Uint8Array(COUNT * SIDE * SIDE);
const labels = Uint8Array.from({ length: COUNT }, (_, i) => (i * 7) % CLASSES);
for (let i = 0; i < COUNT; i++) {
  values.fill(240, i * 16 + 4 * labels[i]!, i * 16 + 4 * labels[i]! + 4);
  values[i * 16 + 12 + (i % 4)] = 200;
}
const data = datasets.fromArray(values, { shape: [SIDE, SIDE, 1], labels, name: "rows" });
const unlabelled = datasets.fromArray(values, { shape: [SIDE, SIDE, 1], name: "rows" });
const condition = { type: "label", classes: CLASSES } as const;

const specs: Readonly<Record<string, ModelSpec>> = {
  "beside x": { ...models.mlp([SIDE, SIDE, 1], 2), condition },
  "beside the features of an image": {
    input: [SIDE, SIDE, 1],
    encoder: [conv2d(8, 3, { stride: 2, activation: "relu" })],
    latent: 2,
    decoder: [dense(2 * 2 * 8, { activation: "relu" }), reshape(2, 2, 8), convTranspose2d(1, 3, { stride: 2 })],
    likelihood: "bernoulli",
    condition,
  },
  "with a dropout and a reshape before the first layer": {
    ...models.mlp([SIDE, SIDE, 1], 2),
    encoder: [{ type: "dropout", rate: 0.1 }, { type: "flatten" }, dense(30, { activation: "relu" })],
    condition,
  },
};

/** How bright each row of pictures is. */
const rowsOf = (pictures: Float32Array) =>
  Array.from({ length: pictures.length / 16 }, (_, i) =>
    [0, 1, 2, 3].map((row) => pictures.subarray(i * 16 + 4 * row, i * 16 + 4 * row + 4).reduce((a, b) => a + b) / 4),
  );

describe.each(Object.entries(specs))("%s", (_, spec) => {
  test("draws what the label says, and encodes what it does not", () =>
    withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
      const before = await vae.elbo(data);
      await vae.train(data, { epochs: 60, batchSize: 30, learningRate: 0.01 });
      expect((await vae.elbo(data)).elbo).toBeGreaterThan(before.elbo + 1);
      for (let label = 0; label < CLASSES; label++) {
        const drawn = rowsOf(await vae.sample(20, { condition: label, seed: 1 }));
        for (const rows of drawn) expect(rows.indexOf(Math.max(...rows))).toBe(label);
      }
      // One for each, in any container, is what one for all is for each.
      const each = [2, 0, 1];
      const mixed = rowsOf(await vae.sample(3, { condition: each, seed: 1 }));
      expect(mixed.map((rows) => rows.indexOf(Math.max(...rows)))).toEqual(each);
      expect(await vae.sample(3, { condition: Uint8Array.from(each), seed: 1 })).toEqual(
        await vae.sample(3, { condition: each, seed: 1 }),
      );
      // The data's own labels are used where it has some.
      const few = datasets.take(data, 9);
      const own = await vae.encode(few);
      const given = await vae.encode(datasets.take(unlabelled, 9), { condition: [...labels.subarray(0, 9)] });
      expect(given.mean).toEqual(own.mean);
      const swapped = await vae.reconstruct(few, { condition: 1 });
      for (const rows of rowsOf(swapped)) expect(rows.indexOf(Math.max(...rows))).toBe(1);
      const decoded = rowsOf(await vae.decode(own.mean, { condition: 0 }));
      for (const rows of decoded) expect(rows.indexOf(Math.max(...rows))).toBe(0);
      // Any number of rows, in plans of several batch sizes, is the same bits.
      const many = await vae.decode(new Float32Array(2 * 150), { condition: 2 });
      expect(many.subarray(149 * 16)).toEqual(many.subarray(0, 16));
      const score = await vae.score(data);
      expect(score.elbo).toHaveLength(COUNT);
      expect((await vae.logLikelihood(few, { samples: 20 })).perExample).toHaveLength(9);
    }));

  test("is saved, resumed bit for bit, and loads", () =>
    withErrorScopes(device, async () => {
      const options = { batchSize: 40, learningRate: 0.01 };
      using whole = await VAE.create(spec, { device, seed: 2, tuning: false });
      await whole.train(data, { ...options, steps: 7 });
      using part = await VAE.create(spec, { device, seed: 2, tuning: false });
      await part.train(data, { ...options, steps: 4 });
      using resumed = await VAE.load(await part.save({ trainingState: true }), { device, tuning: false });
      expect(resumed.spec.condition).toEqual(condition);
      await resumed.train(data, { ...options, steps: 3 });
      expect(Buffer.from(await resumed.save()).equals(Buffer.from(await whole.save()))).toBe(true);
    }));
});

describe("what is missing or wrong is named, before anything is allocated", () => {
  const spec = specs["beside x"]!;
  const z = new Float32Array(4);
  const wrongLabel = datasets.fromArray(values.subarray(0, 32), { shape: [16], labels: [1, 3] });
  const calls: Readonly<Record<string, readonly [(vae: VAE) => Promise<unknown>, string, RegExp]>> = {
    "train without labels": [(vae) => vae.train(unlabelled), "INVALID_DATA", /data set rows: it has no labels/],
    "a test set without": [(vae) => vae.train(data, { test: unlabelled }), "INVALID_DATA", /test set rows: it has no/],
    "elbo without": [(vae) => vae.elbo(unlabelled), "INVALID_DATA", /it has no labels, and this model is conditioned/],
    "score without": [(vae) => vae.score(unlabelled), "INVALID_DATA", /it has no labels/],
    "logLikelihood without": [(vae) => vae.logLikelihood(unlabelled), "INVALID_DATA", /it has no labels/],
    "a label beyond": [
      (vae) => vae.elbo(wrongLabel),
      "INVALID_DATA",
      /label 1 is 3, and the model has the classes 0 to 2/,
    ],
    "sample without": [(vae) => vae.sample(3), "INVALID_OPTION", /sample: this model is conditioned on labels/],
    "decode without": [(vae) => vae.decode(z), "INVALID_OPTION", /decode: .*needs the option condition/],
    "encode without": [(vae) => vae.encode(unlabelled), "INVALID_OPTION", /encode: .*needs the option condition/],
    "reconstruct without": [(vae) => vae.reconstruct(unlabelled), "INVALID_OPTION", /reconstruct: .*condition/],
    "too few": [
      (vae) => vae.sample(3, { condition: [1, 2] }),
      "INVALID_OPTION",
      /condition has 2 labels for 3 examples/,
    ],
    "one beyond": [(vae) => vae.sample(1, { condition: 3 }), "INVALID_OPTION", /condition must be a class from 0 to 2/],
    "half of one": [(vae) => vae.sample(1, { condition: 0.5 }), "INVALID_OPTION", /not 0.5/],
    "text in a list": [
      (vae) => vae.sample(2, { condition: [0, "1"] as never }),
      "INVALID_OPTION",
      /condition\[1\] must be .*not "1"/,
    ],
    "an object": [(vae) => vae.sample(2, { condition: {} as never }), "INVALID_OPTION", /condition must be/],
  };
  test.each(Object.entries(calls))("%s", async (_, [call, code, message]) => {
    using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
    const before = vae.memory();
    await expect(call(vae)).rejects.toThrow(fault(code as "INVALID_DATA", message));
    expect(vae.memory()).toEqual(before);
  });

  test("a condition for a model that has none", async () => {
    using vae = await VAE.create(models.mlp([SIDE, SIDE, 1], 2), { device, seed: 2, tuning: false });
    await expect(vae.sample(1, { condition: 1 })).rejects.toThrow(fault("INVALID_OPTION", /unknown key "condition"/));
  });

  test.each<[unknown, RegExp]>([
    ["label", /condition: expected \{ type: "label", classes \}, found "label"; write/],
    [{ type: "labels", classes: 3 }, /write \{ type: "label", classes: 10 \}/],
    [{ type: "label", classes: 1 }, /condition: classes: expected a whole number from 2/],
    [{ type: "label", classes: 257 }, /condition: classes: at most 256, found 257/],
  ])("the spec's condition %j", async (given, message) => {
    const wrong = { ...models.mlp([16], 2), condition: given as never };
    await expect(VAE.create(wrong, { device })).rejects.toThrow(fault("INVALID_SPEC", message));
  });
});

test("the decoder alone draws what the whole model does, with a mixture as the prior too", () =>
  withErrorScopes(device, async () => {
    const spec: ModelSpec = { ...specs["beside x"]!, prior: { type: "mixture", components: 3 } };
    using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
    await vae.train(data, { steps: 3, batchSize: 30 });
    using part = await VAE.load(await vae.save({ part: "decoder" }), { device, tuning: false });
    const how = { condition: [0, 1, 2, 1], seed: 3 };
    expect(await part.sample(4, how)).toEqual(await vae.sample(4, how));
    await expect(part.encode(data)).rejects.toThrow(fault("UNSUPPORTED", /encode/));
    using encoder = await VAE.load(await vae.save({ part: "encoder" }), { device, tuning: false });
    expect((await encoder.encode(data)).mean).toEqual((await vae.encode(data)).mean);
    await expect(encoder.sample(1, { condition: 0 })).rejects.toThrow(fault("UNSUPPORTED", /sample/));
  }));

test.skipIf(!device.features.has("shader-f16"))("half precision trains with a condition and a mixture too", () =>
  withErrorScopes(device, async () => {
    const spec: ModelSpec = { ...specs["beside x"]!, prior: { type: "mixture", components: 3 } };
    using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
    const before = await vae.elbo(data);
    const options = { batchSize: 30, learningRate: 0.01, precision: "f16" } as const;
    const last = await vae.train(data, { ...options, epochs: 20 });
    expect(last.skipped).toBe(0);
    expect((await vae.elbo(data)).elbo).toBeGreaterThan(before.elbo + 1);
  }),
);

test("a change of the caller's list after the call has no effect", () =>
  withErrorScopes(device, async () => {
    using vae = await VAE.create(specs["beside x"]!, { device, seed: 2, tuning: false });
    const given = Uint8Array.of(0, 1, 2);
    const expected = await vae.sample(3, { condition: [0, 1, 2], seed: 1 });
    const pending = vae.sample(3, { condition: given, seed: 1 });
    given.fill(2);
    expect(await pending).toEqual(expected);
  }));
