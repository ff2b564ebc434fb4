// Safetensors files without metadata, as written by other tools: weights of a model described by the option `spec`.
import { describe, expect, test } from "vitest";
import { batchNorm, conv2d, convTranspose2d, dense, flatten, models, reshape, VAE } from "../../src/index.js";
import type { ModelSpec } from "../../src/index.js";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../../src/safetensors.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const relu = { activation: "relu" } as const;
const specs: Readonly<Record<string, ModelSpec>> = {
  points: models.points([2], 1),
  "a learned variance": {
    input: [6],
    encoder: [dense(5, relu)],
    latent: 3,
    decoder: [dense(6)],
    likelihood: { type: "gaussian", variance: "learned" },
  },
  "images, with running statistics": {
    input: [6, 5, 3],
    encoder: [conv2d(7, 3), batchNorm(relu), flatten()],
    latent: 5,
    decoder: [dense(6 * 5 * 2, relu), reshape(6, 5, 2), convTranspose2d(3, 3)],
    likelihood: "bernoulli",
  },
};

const tensorsOf = (file: Uint8Array): NamedTensor[] =>
  [...readSafetensors(file).tensors].map(([name, tensor]) => ({ name, ...tensor }));

describe.each(Object.entries(specs))("%s", (_, spec) => {
  test("a file's tensors with its spec give the same model", async () => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device, seed: 4, tuning: false });
      const file = await vae.save();
      const bare = writeSafetensors(tensorsOf(file));
      await expect(VAE.load(bare, { device })).rejects.toThrow(fault("INVALID_FILE", /model_spec.*option spec/));
      // Both are read during the call, so later changes make no difference.
      const changing = structuredClone(spec) as unknown as { latent: number; encoder: unknown[] };
      const bytes = bare.slice();
      const loading = VAE.load(bytes, { device, spec: changing as unknown as ModelSpec, tuning: false });
      changing.latent = 40;
      changing.encoder.length = 0;
      bytes.fill(0);
      using loaded = await loading;
      expect(loaded.spec).toEqual(vae.spec);
      expect(loaded.trained).toEqual({ steps: 0, epochs: 0 });
      expect(await loaded.save()).toEqual(file);
    });
  });

  test("every missing, unexpected or wrongly shaped tensor is named, and nothing is created", async () => {
    const device = await testDevice();
    using vae = await VAE.create(spec, { device, seed: 4, tuning: false });
    const tensors = tensorsOf(await vae.save());
    const before = vae.memory().deviceBuffers;
    const load = (list: NamedTensor[]) => VAE.load(writeSafetensors(list), { device, spec });
    const [first, second, third, ...rest] = tensors;
    const flat = { ...third!, shape: [...third!.shape, 1] };
    const spare = { ...first!, name: "spare" };
    const error: unknown = await load([flat, ...rest, spare]).catch((thrown: unknown) => thrown);
    const message = String(error);
    expect(error).toMatchObject({ code: "SPEC_MISMATCH" });
    for (const { name, shape } of [first!, second!]) {
      expect(message).toContain(`the file has no tensor ${name} [${shape.join(", ")}]`);
    }
    expect(message).toContain(`${third!.name} has shape [${flat.shape.join(", ")}] in the file`);
    expect(message).toContain(`the model has no tensor "spare" [${first!.shape.join(", ")}]`);
    for (const { name } of rest) expect(message).not.toContain(`tensor ${name} `);
    await expect(load([...tensors, spare])).rejects.toThrow(fault("SPEC_MISMATCH", /"spare"/));
    const poisoned = { ...first!, data: new Float32Array(first!.data.byteLength / 4).fill(NaN) };
    await expect(load([poisoned, ...tensors.slice(1)])).rejects.toThrow(fault("NON_FINITE", /NaN at index 0/));
    expect(vae.memory().deviceBuffers).toBe(before);
    expect(tensorsOf(await vae.save())).toEqual(tensors);
  });
});

test("an invalid spec, and one that contradicts the file's", async () => {
  const device = await testDevice();
  using vae = await VAE.create(specs.points!, { device, tuning: false });
  const file = await vae.save();
  const load = (spec: unknown) => VAE.load(file, { device, spec: spec as ModelSpec });
  await expect(load({ ...specs.points, latent: 0 })).rejects.toThrow(fault("INVALID_SPEC", /latent/));
  await expect(load({ ...specs.points, latent: 2 })).rejects.toThrow(fault("SPEC_MISMATCH", /latent is 1 in the file/));
  (await load(specs.points)).dispose();
});
