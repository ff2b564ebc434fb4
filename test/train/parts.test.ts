// Files with one part of a model, and files in f16: what they can do is what the whole model does, and everything else
// is refused before anything is allocated.
import { expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  reshape,
  VAE,
  type ModelPart,
  type ModelSpec,
} from "../../src/index.js";
import { asFloat32, readSafetensors, writeSafetensors } from "../../src/safetensors.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { roundToHalf } from "../support/half.js";

const spec: ModelSpec = {
  input: [4, 4, 3],
  encoder: [conv2d(5, 3, { stride: 2 }), batchNorm({ activation: "relu" }), dropout(0.1)],
  latent: 3,
  decoder: [
    dense(2 * 2 * 6),
    batchNorm({ activation: "silu" }),
    reshape(2, 2, 6),
    convTranspose2d(3, 3, { stride: 2 }),
  ],
  likelihood: { type: "gaussian", variance: "learned" },
};
const WIDTH = 48;
const data = datasets.fromArray(
  Float32Array.from({ length: 40 * WIDTH }, (_, i) => Math.sin(i * i)),
  { shape: [4, 4, 3], name: "waves" },
);
const z = Float32Array.from({ length: 9 }, (_, i) => (i - 4) / 3);
const training = { batchSize: 8, epochs: 1 };

const device = await testDevice();
const options = { device, tuning: false } as const;

async function trained(): Promise<VAE> {
  const vae = await VAE.create(spec, { ...options, seed: 4 });
  await vae.train(data, training);
  return vae;
}

test("a decoder samples and decodes like the whole model, an encoder encodes, with fewer weights on the GPU", () =>
  withErrorScopes(device, async () => {
    using vae = await trained();
    using decoder = await VAE.load(await vae.save({ part: "decoder" }), { ...options, spec });
    using encoder = await VAE.load(await vae.save({ part: "encoder" }), options);
    for (const noise of [false, true]) {
      const drawn = { noise, seed: 9, temperature: 0.8 };
      expect(await decoder.sample(70, drawn)).toEqual(await vae.sample(70, drawn));
    }
    expect(await decoder.decode(z)).toEqual(await vae.decode(z));
    const { mean, logVariance } = await vae.encode(data);
    expect(await encoder.encode(data)).toEqual({ mean, logVariance, step: 0 });
    for (const one of [decoder, encoder]) {
      expect(one.spec).toEqual(vae.spec);
      expect(one.trained).toEqual({ steps: 0, epochs: 0 });
    }
    const [d, e, all] = [decoder, encoder, vae].map((one) => one.memory());
    expect([...encoder.weights.list(), ...decoder.weights.list()].length).toBe(vae.weights.list().length);
    expect(d!.parameters + e!.parameters).toBe(all!.parameters);
    expect(d!.weightBytes + e!.weightBytes).toBe(all!.weightBytes);
    // What it has, it saves again.
    expect(await decoder.save({ part: "decoder" })).toEqual(await vae.save({ part: "decoder" }));
    expect(await encoder.save({ part: "encoder", precision: "f16" })).toEqual(
      await vae.save({ part: "encoder", precision: "f16" }),
    );
  }));

/** Each public call, and the part that it needs; the others need the whole model, or nothing of it. */
const calls: Readonly<Record<string, readonly [needs: ModelPart | "whole" | "nothing", (vae: VAE) => unknown]>> = {
  spec: ["nothing", (vae) => vae.spec],
  adapter: ["nothing", (vae) => vae.adapter],
  gpuDevice: ["nothing", (vae) => vae.gpuDevice],
  trained: ["nothing", (vae) => vae.trained],
  counts: ["nothing", (vae) => vae.counts],
  memory: ["nothing", (vae) => vae.memory()],
  train: ["whole", (vae) => vae.train(data, training)],
  "train, iterated": ["whole", (vae) => vae.train(data, training).next()],
  elbo: ["whole", (vae) => vae.elbo(data)],
  score: ["whole", (vae) => vae.score(data)],
  reconstruct: ["whole", (vae) => vae.reconstruct(data)],
  "reconstruct, with noise": ["whole", (vae) => vae.reconstruct(data, { noise: true })],
  encode: ["encoder", (vae) => vae.encode(data)],
  decode: ["decoder", (vae) => vae.decode(z)],
  sample: ["decoder", (vae) => vae.sample(3)],
  "sample, with noise": ["decoder", (vae) => vae.sample(3, { noise: true })],
  save: ["whole", (vae) => vae.save()],
  "save, in f16": ["whole", (vae) => vae.save({ precision: "f16" })],
  "save, with its training state": ["whole", (vae) => vae.save({ trainingState: true })],
  "save, the encoder": ["encoder", (vae) => vae.save({ part: "encoder" })],
  "save, the decoder": ["decoder", (vae) => vae.save({ part: "decoder" })],
  logLikelihood: ["whole", (vae) => vae.logLikelihood(data)],
  weights: ["nothing", (vae) => vae.weights.list()],
  "weights, the encoder's read": ["encoder", (vae) => vae.weights.get("mean.bias")],
  "weights, the encoder's set": ["encoder", (vae) => vae.weights.set("mean.bias", [0, 0, 0])],
  "weights, the decoder's read": ["decoder", (vae) => vae.weights.get("log_sigma")],
  "weights, the decoder's set": ["decoder", (vae) => vae.weights.set("log_sigma", [0])],
  dispose: ["nothing", (vae) => vae.dispose()],
};

test("every public call of a VAE is in the walk", () => {
  const methods = Object.getOwnPropertyNames(VAE.prototype).filter((name) => name !== "constructor");
  const names = [...methods, "weights"];
  expect(names.filter((name) => !(name in calls))).toEqual([]);
  expect(Object.keys(calls).filter((name) => !names.includes(name.split(",")[0]!))).toEqual([]);
});

test.each(["encoder", "decoder"] as const)(
  "a VAE of the %s alone refuses what it cannot do, and allocates nothing",
  (part) =>
    withErrorScopes(device, async () => {
      using vae = await trained();
      using only = await VAE.load(await vae.save({ part }), options);
      let made = 0;
      const create = device.createBuffer.bind(device);
      device.createBuffer = (descriptor) => {
        made++;
        return create(descriptor);
      };
      try {
        for (const [name, [needs, run]] of Object.entries(calls)) {
          made = 0;
          const outcome = (async () => await run(only))();
          if (needs === "nothing" || needs === part) await outcome;
          else {
            await expect(outcome, name).rejects.toThrow(
              fault(
                "UNSUPPORTED",
                new RegExp(`^${name.split(",")[0]!}( with noise|\\.[sg]et)?: .* has only the model's ${part}`),
              ),
            );
            expect([name, made]).toEqual([name, 0]);
          }
        }
      } finally {
        Reflect.deleteProperty(device, "createBuffer");
      }
    }),
);

test("f16: a whole model has the rounded weights, and trains on", () =>
  withErrorScopes(device, async () => {
    using vae = await trained();
    const whole = await vae.save();
    const half = await vae.save({ precision: "f16" });
    expect(half.length).toBeLessThan(whole.length);
    using rounded = await VAE.load(half, options);
    // The same values in a file of f32.
    const { tensors, metadata } = readSafetensors(whole);
    const values = [...tensors].map(([name, tensor]) => {
      const round = name.includes("running_") ? (value: number) => value : roundToHalf;
      return { name, ...tensor, data: asFloat32(tensor).map(round) };
    });
    const same = writeSafetensors(values, metadata);
    expect(same).not.toEqual(whole);
    expect(await rounded.save()).toEqual(same);
    using other = await VAE.load(same, options);
    expect(await rounded.elbo(data)).toEqual(await other.elbo(data));
    for (const one of [rounded, other]) await one.train(data, training);
    expect(await rounded.save()).toEqual(await other.save());
    expect(rounded.trained).toEqual({ steps: 5, epochs: 1 });
  }));

test("options that exclude each other, or that there are not, are refused before anything is read", () =>
  withErrorScopes(device, async () => {
    using vae = await trained();
    const before = vae.memory().deviceBuffers;
    const refuses = (given: object, says: RegExp) =>
      expect(vae.save(given), JSON.stringify(given)).rejects.toThrow(fault("INVALID_OPTION", says));
    await refuses({ part: "decoder", trainingState: true }, /^save: .*trainingState excludes part "decoder"$/);
    await refuses({ precision: "f16", trainingState: true }, /^save: .*trainingState excludes precision "f16"$/);
    await refuses({ part: "decode" }, /^save: part must be "encoder" or "decoder", not "decode"$/);
    await refuses({ part: null }, /part .*not null/);
    await refuses({ part: ["decoder"] }, /part .*not \["decoder"\]/);
    await refuses({ precision: "bf16" }, /^save: precision must be "f32" or "f16", not "bf16"$/);
    await refuses({ precision: 16 }, /precision .*not 16/);
    await refuses({ dtype: "f16" }, /unknown key "dtype"/);
    expect(vae.memory().deviceBuffers).toBe(before);
    const state = { trainingState: true, precision: "f32", part: undefined } as object;
    expect(await vae.save(state)).toEqual(await vae.save({ trainingState: true }));
  }));
