// Encode, decode, reconstruct and sample: a row has the same bits whatever the batch, and the same with buffers on the
// GPU as on the host.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { conv2d, convTranspose2d, dense, flatten, models, reshape, VAE, type ModelSpec } from "../../src/index.js";
import { open, testDevice, withErrorScopes } from "../support/gpu.js";
import { countTurns, TURNS } from "../support/turns.js";

const relu = { activation: "relu" } as const;
const specs: Readonly<Record<string, ModelSpec>> = {
  "nothing is padded": { ...models.mlp([28, 28, 1], 4), encoder: [dense(20, relu)], decoder: [dense(20), dense(784)] },
  "rows of dense layers are padded, and latents": {
    input: [5, 7, 3],
    encoder: [dense(9, relu)],
    latent: 3,
    decoder: [dense(9, relu), dense(105)],
    likelihood: { type: "gaussian", variance: 0.3 },
  },
  "one channel is padded": { ...models.conv([8, 8, 1], 2) },
  "three channels are padded": {
    input: [6, 5, 3],
    encoder: [conv2d(7, 3, relu), flatten()],
    latent: 5,
    decoder: [dense(6 * 5 * 2, relu), reshape(6, 5, 2), convTranspose2d(3, 3)],
    likelihood: "bernoulli",
  },
  points: models.points([2], 1),
};

const COUNT = 75; // 64, then 8 of 11, and the three left again in a plan of 8.
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** `count` rows of `width` distinct values in [0, 1). */
function rows(count: number, width: number): Float32Array {
  return Float32Array.from({ length: count * width }, (_, i) => ((i * 7919) % 10007) / 10007);
}

const COPY = 0x04 | 0x08; // GPUBufferUsage.COPY_SRC | COPY_DST

/** A buffer with `values`, followed by a guard word that must not be overwritten. */
function filled(device: GPUDevice, values: Float32Array): GPUBuffer {
  const buffer = device.createBuffer({ size: values.byteLength + 4, usage: COPY });
  device.queue.writeBuffer(buffer, 0, values.slice());
  device.queue.writeBuffer(buffer, values.byteLength, Float32Array.of(-77));
  return buffer;
}

/** The contents of a buffer from `filled`, without the guard word, which must be intact. */
async function contents(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  expect(values.at(-1)).toBe(-77);
  return values.slice(0, -1);
}

describe.each(Object.entries(specs))("%s", (_, spec) => {
  const width = spec.input.reduce((product, n) => product * n, 1);
  const latents = rows(COUNT, spec.latent).map((value) => 6 * value - 3);
  const examples = rows(COUNT, width);

  test("a row has the same bits in a batch of 1, 8 or 64", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
      const decoded = await vae.decode(latents);
      const encoded = await vae.encode(examples);
      const drawn = await vae.reconstruct(examples, { noise: true, seed: 9 });
      const sampled = await vae.sample(COUNT, { noise: true, seed: 9 });
      expect(decoded).toHaveLength(COUNT * width);
      expect(new Set(decoded).size).toBeGreaterThan(COUNT);
      for (const count of [1, 2, 8, 9, 64, 65]) {
        const [z, x] = [latents.subarray(0, count * spec.latent), examples.subarray(0, count * width)];
        const begin = (all: Float32Array, size: number) => bytesOf(all.subarray(0, count * size));
        expect(bytesOf(await vae.decode(z))).toEqual(begin(decoded, width));
        const { mean, logVariance } = await vae.encode(x);
        expect(bytesOf(mean)).toEqual(begin(encoded.mean, spec.latent));
        expect(bytesOf(logVariance)).toEqual(begin(encoded.logVariance, spec.latent));
        expect(bytesOf(await vae.reconstruct(x, { noise: true, seed: 9 }))).toEqual(begin(drawn, width));
        expect(bytesOf(await vae.sample(count, { noise: true, seed: 9 }))).toEqual(begin(sampled, width));
      }
      // Even if it is not the first.
      const row = (all: Float32Array, index: number, size: number) => all.slice(index * size, (index + 1) * size);
      for (const index of [3, 63, 64, 74]) {
        const alone = await vae.decode(row(latents, index, spec.latent));
        expect(bytesOf(alone)).toEqual(bytesOf(row(decoded, index, width)));
      }
    });
  });

  test("a temperature multiplies only the draws of z", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
      const count = 9;
      const plain = await vae.sample(count, { seed: 3 });
      const [zero, one, half] = await Promise.all(
        [0, 1, 0.5].map((temperature) => vae.sample(count, { seed: 3, temperature })),
      );
      expect(bytesOf(one!)).toEqual(bytesOf(plain));
      expect(bytesOf(zero!)).toEqual(bytesOf(await vae.decode(new Float32Array(count * spec.latent))));
      expect(new Set([plain, zero, half].map(String)).size).toBe(3);
      // A smaller factor stays closer to the centre.
      const far = (values: Float32Array) => Math.hypot(...values.map((value, i) => value - zero![i]!));
      expect(far(half!)).toBeLessThan(far(plain));
      // x is always drawn with full noise: at 0 it still differs from row to row.
      const noisy = await vae.sample(count, { seed: 3, noise: true, temperature: 0 });
      expect(
        new Set(Array.from({ length: count }, (_, i) => String(noisy.slice(i * width, (i + 1) * width)))).size,
      ).toBe(count);
      expect(bytesOf(await vae.sample(count, { seed: 3, noise: true, temperature: 1 }))).toEqual(
        bytesOf(await vae.sample(count, { seed: 3, noise: true })),
      );
    });
  });

  test("buffers on the GPU give the same results as the host", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
      expect(vae.gpuDevice).toBe(device);
      const [z, x] = [filled(device, latents), filled(device, examples)];
      const to = filled(device, new Float32Array(COUNT * width));
      const given = { buffer: x, count: COUNT };
      const same = async (host: Promise<Float32Array>, gpu: Promise<undefined>) => {
        expect(await gpu).toBe(undefined);
        const made = await contents(device, to);
        expect(bytesOf(made)).toEqual(bytesOf(await host));
        device.queue.writeBuffer(to, 0, new Float32Array(COUNT * width));
      };
      await same(vae.decode(latents), vae.decode({ buffer: z, count: COUNT }, { to }));
      await same(vae.decode(latents), vae.decode(latents, { to }));
      await same(vae.sample(COUNT, { seed: 3 }), vae.sample(COUNT, { seed: 3, to }));
      await same(vae.reconstruct(examples), vae.reconstruct(given, { to }));
      await same(
        vae.reconstruct(examples, { noise: true, seed: 4 }),
        vae.reconstruct(given, { noise: true, seed: 4, to }),
      );
      expect(bytesOf(await vae.decode({ buffer: z, count: 3 }))).toEqual(
        bytesOf(await vae.decode(latents.slice(0, 3 * spec.latent))),
      );
      expect(await vae.encode(given)).toEqual(await vae.encode(examples));
      // The inputs are unchanged.
      expect(await contents(device, z)).toEqual(latents);
      expect(await contents(device, x)).toEqual(examples);
      for (const buffer of [z, x, to]) buffer.destroy();
    });
  });
});

test("if the adapter's limits do not allow 64 rows, fewer are computed at once, with the same result", async () => {
  const spec: ModelSpec = { input: [256], encoder: [], latent: 2, decoder: [dense(256)], likelihood: "bernoulli" };
  const examples = rows(50, 256);
  const made: Float32Array[] = [];
  for (const largest of [undefined, 20 * 1024]) {
    const device = await open();
    if (largest) {
      const { maxComputeWorkgroupsPerDimension, maxBufferSize } = device.limits;
      const limits = { maxComputeWorkgroupsPerDimension, maxBufferSize, maxStorageBufferBindingSize: largest };
      Object.defineProperty(device, "limits", { value: limits });
    }
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 2, tuning: false });
      const before = vae.memory().deviceBytes;
      made.push(await vae.reconstruct(examples, { noise: true, seed: 1 }));
      // 16 rows of 1 KiB, in and out and between, or 64.
      expect(vae.memory().deviceBytes - before < 100_000).toBe(!!largest);
    });
    device.destroy();
  }
  expect(bytesOf(made[1]!)).toEqual(bytesOf(made[0]!));
});

test("an abort ends a call that writes to a buffer, which can be called again", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(models.mlp([28, 28, 1], 20), { device, tuning: false });
    const count = 20_000;
    const to = device.createBuffer({ size: 4 * 784 * count, usage: COPY });
    const abort = new AbortController();
    let turns = () => Infinity;
    setTimeout(() => {
      turns = countTurns();
      abort.abort();
    }, 100);
    await expect(vae.sample(count, { to, signal: abort.signal })).rejects.toThrow(/abort/i);
    // A call that continued to its end would take many.
    expect(turns()).toBeLessThanOrEqual(TURNS);
    await vae.sample(1, { to, seed: 0 });
    to.destroy();
  });
});

test("a data set's bytes are examples too", async () => {
  const device = await testDevice();
  using vae = await VAE.create(models.mlp([28, 28, 1], 2), { device, tuning: false });
  const digits = datasets.digits({ split: "train", count: 9, seed: 3 });
  const floats = Float32Array.from(digits.values, (byte) => byte / 255);
  expect((await vae.encode(digits)).mean).toEqual((await vae.encode(floats)).mean);
  expect(await vae.reconstruct(digits.values as Uint8Array)).toEqual(await vae.reconstruct(digits));
});
