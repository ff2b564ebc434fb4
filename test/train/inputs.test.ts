// Arguments belong to the caller again when a call returns: examples are copied during the call, and a Dataset is
// borrowed until it settles. A value means the same in every container.
import { expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type Examples, type Latents, type ModelSpec } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { gzip, idxBytes } from "../support/idx.js";
import { npyBytes } from "../support/npy.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const spec: ModelSpec = { input: [5, 3, 1], encoder: [], latent: 3, decoder: [dense(15)], likelihood: "bernoulli" };
const COUNT = 67;
const bytes = Uint8Array.from({ length: COUNT * 15 }, (_, i) => (i * 7919) % 256);
const floats = Float32Array.from(bytes, (byte) => byte / 255);
const latents = Float32Array.from({ length: COUNT * 3 }, (_, i) => Math.sin(i));
const rowsOf = <T extends Uint8Array | Float32Array>(values: T, width: number): T[] =>
  Array.from({ length: COUNT }, (_, row) => values.slice(row * width, (row + 1) * width) as T);

const device = await testDevice();
const vae = await VAE.create(spec, { device, seed: 3, tuning: false });
const calls = {
  encode: async (x: unknown): Promise<unknown[]> => Object.values({ ...(await vae.encode(x as Examples)) }),
  reconstruct: async (x: unknown) => [await vae.reconstruct(x as Examples)],
  decode: async (z: unknown) => [await vae.decode(z as Latents)],
};

/** Containers with the same values, each newly created. */
const examples: Record<string, () => unknown> = {
  floats: () => floats.slice(),
  doubles: () => Float64Array.from(floats),
  bytes: () => bytes.slice(),
  "a Buffer": () => Buffer.from(bytes),
  "rows of floats": () => rowsOf(floats, 15),
  "rows of bytes": () => rowsOf(bytes, 15),
  "plain rows": () => rowsOf(floats, 15).map((row) => [...row]),
  "a plain array": () => [...floats],
};
const drawn: Record<string, () => unknown> = {
  floats: () => latents.slice(),
  doubles: () => Float64Array.from(latents),
  "rows of floats": () => rowsOf(latents, 3),
  "plain rows": () => rowsOf(latents, 3).map((row) => [...row]),
};

/** Every array in the arguments. */
const arraysIn = (given: unknown): (number[] | Float32Array)[] =>
  Array.isArray(given) && typeof given[0] === "object" ? (given as number[][]) : [given as number[]];

for (const [name, call] of Object.entries(calls)) {
  const containers = name === "decode" ? drawn : examples;
  test.each(Object.keys(containers))(`${name} copies %s before it returns, and treats them as equal`, async (kind) => {
    await withErrorScopes(device, async () => {
      const wanted = await call(containers.floats!());
      const given = containers[kind]!();
      // After another call, which it has to wait for.
      const earlier = vae.sample(1);
      const made = call(given);
      for (const array of arraysIn(given)) array.fill(0);
      expect(await made).toEqual(wanted);
      await earlier;
      const moved = containers[kind]!();
      const after = call(moved);
      const buffers = arraysIn(moved).flatMap((array) => (ArrayBuffer.isView(array) ? [array.buffer] : []));
      structuredClone(buffers, { transfer: buffers as ArrayBuffer[] });
      expect(await after).toEqual(wanted);
    });
  });
}

test("a Dataset is borrowed: transferring its memory while a call reads it is an error", async () => {
  const wanted = await vae.encode(floats);
  const make = () => datasets.fromArray(floats.slice(), { shape: [5, 3, 1], name: "lent" });
  const move = (set: { values: ArrayBufferView }) =>
    structuredClone(set.values, { transfer: [set.values.buffer as ArrayBuffer] });
  await withErrorScopes(device, async () => {
    const lent = make();
    const call = vae.encode(lent);
    move(lent);
    await expect(call).rejects.toThrow(fault("INVALID_DATA", /transferred away/));
    const other = make();
    const elbo = vae.elbo(other);
    move(other);
    await expect(elbo).rejects.toThrow(fault("INVALID_DATA", /lent: its values were transferred away/));
    const before = vae.memory().deviceBuffers;
    const third = make();
    const again = vae.elbo(third);
    move(third);
    await again.catch(() => {});
    expect(vae.memory().deviceBuffers).toBe(before);
    expect(await vae.encode(make())).toEqual(wanted);
  });
});

test("files are read before the call returns, or are borrowed and shared", async () => {
  const saved = await vae.save();
  for (const file of [saved.slice(), saved.slice().buffer, Buffer.from(saved)]) {
    const load = VAE.load(file, { device, tuning: false });
    (file instanceof Uint8Array ? file : new Uint8Array(file)).fill(0);
    using loaded = await load;
    expect(await loaded.decode(latents)).toEqual(await vae.decode(latents));
  }

  const images = gzip(idxBytes([COUNT, 5, 3], bytes));
  const labels = gzip(idxBytes([COUNT], bytes.subarray(0, COUNT)));
  const idx = datasets.imagesFromIdx({ images, labels, name: "packed" });
  images.fill(0);
  labels.fill(0);
  expect(await idx).toMatchObject({ values: bytes, labels: bytes.subarray(0, COUNT) });
  const rows = gzip(npyBytes([COUNT, 15], floats));
  const classes = gzip(npyBytes([COUNT], bytes.subarray(0, COUNT)));
  const npy = datasets.fromNpy(rows, { labels: classes });
  rows.fill(0);
  classes.fill(0);
  expect(await npy).toMatchObject({ values: floats, labels: bytes.subarray(0, COUNT) });
});
