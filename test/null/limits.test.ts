// Anything too large for an adapter is named before anything is allocated, with the batch that would fit.
import { describe, expect, it } from "vitest";
import * as datasets from "../../src/datasets.js";
import { Device } from "../../src/device.js";
import {
  avgPool2d,
  conv2d,
  convTranspose2d,
  dense,
  reshape,
  VAE,
  type ModelSpec,
  type WebvaeError,
} from "../../src/index.js";
import { dataTensor } from "../../src/ops/gather.js";
import { defineModel, flats } from "../../src/parameters.js";
import { checkBatch, checkLimits, fittingBatch, plan, type Plan } from "../../src/plan.js";
import { resolveSpec } from "../../src/spec.js";
import { trainingGraph } from "../../src/vae.js";
import { fault } from "../support/fault.js";
import { nullDevice, withErrorScopes } from "../support/gpu.js";

const gpu = await nullDevice();
const device = await Device.open({ device: gpu });
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };

/** Limits of a device, and how many examples of `spec` train within them, by trying every batch. */
function byTrying(spec: ModelSpec, limits: Partial<GPUSupportedLimits>, most: number) {
  const model = defineModel(resolveSpec(spec));
  const all = { ...defaults, ...limits } as GPUSupportedLimits;
  const data = dataTensor("bytes", 100, model.resolved.inputSize);
  const planOf = (batch: number): Plan =>
    plan(trainingGraph(model, data, { batch }, adam), { flats: flats(model), slots: 4 }).plan;
  const fits = (batch: number) => {
    try {
      checkLimits(planOf(batch), all);
      return true;
    } catch {
      return false;
    }
  };
  const batches = Array.from({ length: most }, (_, i) => i + 1);
  return { planOf, limits: all, fitting: batches.filter(fits) };
}
const defaults = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65535,
};

const images: ModelSpec = {
  input: [12, 12, 1],
  encoder: [conv2d(9, 3, { activation: "silu" })],
  latent: 2,
  decoder: [dense(36), reshape(6, 6, 1), convTranspose2d(5, 3, { stride: 2 }), conv2d(1, 3)],
  likelihood: "bernoulli",
};

describe("the largest batch that fits", () => {
  it.each([
    ["buffers", { maxBufferSize: 300_000 }],
    ["binding sizes", { maxStorageBufferBindingSize: 123_457 }],
  ])("by %s is the largest of all that fit", (_, limited) => {
    const { planOf, limits, fitting } = byTrying(images, limited, 150);
    const most = fitting.length;
    expect(most).toBeGreaterThan(3);
    expect(most).toBeLessThan(150);
    // No batch below the largest is too large.
    expect(fitting).toEqual(Array.from({ length: most }, (_, i) => i + 1));
    for (const asked of [150, most + 1, most, most - 1, 1]) {
      expect(fittingBatch(asked, planOf, limits)).toBe(Math.min(asked, most));
    }
    expect(() => checkBatch(most, planOf, limits)).not.toThrow();
    const message = new RegExp(`^batchSize ${most + 1}: .* needs \\d+ bytes;.*; a batch of at most ${most} would fit$`);
    expect(() => checkBatch(most + 1, planOf, limits)).toThrow(fault("LIMIT_EXCEEDED", message));
  });

  it("names the tensor that is as large as its buffer", () => {
    const { planOf, limits } = byTrying(images, { maxBufferSize: 100_000 }, 0);
    const planned = planOf(60);
    const named = /^batchSize 60: (\S+) needs (\d+) bytes/;
    let message = "";
    try {
      checkBatch(60, planOf, limits);
    } catch (error) {
      ({ message } = error as WebvaeError);
    }
    const [, tensor, bytes] = named.exec(message) ?? [];
    expect(planned.places[tensor!]!.bytes).toBe(Number(bytes));
  });

  it("does not exist if the weights alone are too large", () => {
    const { planOf, limits } = byTrying(images, { maxBufferSize: 4096 }, 0);
    expect(fittingBatch(8, planOf, limits)).toBe(0);
    const message =
      /params \(heads\.weight alone 55296\) needs 66048 bytes; this adapter binds at most 134217728, of a buffer of at most 4096; not even a batch of 1 would fit$/;
    expect(() => checkBatch(8, planOf, limits)).toThrow(fault("LIMIT_EXCEEDED", message));
  });
});

describe("on a device with the default limits", () => {
  const data = datasets.digits({ split: "train", count: 700, seed: 1 });
  /** Of a model whose first layer's output takes 28 x 28 x `filters` floats an example. */
  const wide = (filters: number): ModelSpec => ({
    input: [28, 28, 1],
    encoder: [conv2d(filters, 1, { activation: "relu" }), avgPool2d(28)],
    latent: 1,
    decoder: [dense(784)],
    likelihood: "bernoulli",
  });
  const train = async (vae: VAE, batchSize: number) => {
    for await (const report of vae.train(data, { epochs: 1, batchSize })) return report;
    throw new Error("no report");
  };

  /** Ignores other errors, since this device's memory need not contain numbers. */
  const isTooLarge = (call: Promise<unknown>) =>
    call.then(
      () => false,
      (error: unknown) => (error as WebvaeError).code === "LIMIT_EXCEEDED",
    );

  it("training says which batch would fit, loses nothing, and trains with it", async () => {
    await withErrorScopes(gpu, async () => {
      using vae = await VAE.create(wide(64), { device: gpu });
      const before = device.allocated;
      // 2^27 bytes are 668 examples; of 64 vec4 a workgroup they are twice what one dimension of a dispatch takes.
      await expect(train(vae, 700)).rejects.toThrow(
        fault(
          "LIMIT_EXCEEDED",
          /^batchSize 700: d?encoder\.0\.output needs 140492800 bytes; .* at most 668 would fit$/,
        ),
      );
      expect(device.allocated).toEqual(before);
      expect(await isTooLarge(train(vae, 668))).toBe(false);
    });
  });

  it("says if a batch of 1 is too large", async () => {
    await withErrorScopes(gpu, async () => {
      using vae = await VAE.create(wide(2 ** 16), { device: gpu });
      await expect(train(vae, 2)).rejects.toThrow(fault("LIMIT_EXCEEDED", /not even a batch of 1 would fit$/));
      await expect(vae.elbo(data)).rejects.toThrow(fault("LIMIT_EXCEEDED", /needs 205520896 bytes/));
    });
  });

  it("evaluation processes as many at once as fit", async () => {
    await withErrorScopes(gpu, async () => {
      // 256 at once would be 2^27 bytes and half as much again.
      using vae = await VAE.create(wide(256), { device: gpu });
      expect(await isTooLarge(vae.elbo(data))).toBe(false);
      expect(await isTooLarge(train(vae, 256))).toBe(true);
    });
  });
});
