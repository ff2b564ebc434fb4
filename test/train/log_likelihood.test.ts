// log p(x) by importance weighting, against what it is exactly for a linear model, and its properties for any model.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, models, VAE, type EvaluationOptions, type ModelSpec } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const device = await testDevice();

/** log N(x; mean, covariance), by Cholesky. */
function logNormal(x: readonly number[], mean: readonly number[], covariance: readonly (readonly number[])[]): number {
  const n = x.length;
  const L = Array.from({ length: n }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = covariance[i]![j]!;
      for (let k = 0; k < j; k++) sum -= L[i]![k]! * L[j]![k]!;
      L[i]![j] = i === j ? Math.sqrt(sum) : sum / L[j]![j]!;
    }
  }
  let [square, determinant] = [0, 0];
  const y: number[] = [];
  for (let i = 0; i < n; i++) {
    let sum = x[i]! - mean[i]!;
    for (let k = 0; k < i; k++) sum -= L[i]![k]! * y[k]!;
    y[i] = sum / L[i]![i]!;
    square += y[i]! ** 2;
    determinant += Math.log(L[i]![i]!);
  }
  return -(square + n * Math.log(2 * Math.PI)) / 2 - determinant;
}

const [D, Z, VARIANCE] = [5, 2, 0.5];
/** A linear decoder: x ~ N(W z + b, variance), so that p(x) = N(b, W W^T + variance) if z ~ N(0, 1). */
const linear: ModelSpec = {
  input: [D],
  encoder: [],
  latent: Z,
  decoder: [dense(D)],
  likelihood: { type: "gaussian", variance: VARIANCE },
};
const waves = (count: number, width: number, name = "waves") =>
  datasets.fromArray(
    Float32Array.from({ length: count * width }, (_, i) => Math.sin(i * i)),
    { shape: [width], name },
  );

/** The decoder's W [Z, D] and b [D], from what it makes of z = 0 and of unit vectors. */
async function decoderOf(vae: VAE) {
  const z = new Float32Array((Z + 1) * Z);
  for (let i = 0; i < Z; i++) z[(i + 1) * Z + i] = 1;
  const rows = await vae.decode(z);
  const row = (i: number) => [...rows.subarray(i * D, (i + 1) * D)];
  const b = row(0);
  const W = Array.from({ length: Z }, (_, i) => row(i + 1).map((value, d) => value - b[d]!));
  return { W, b };
}

describe("of a linear model", () => {
  const data = waves(300, D);
  const exact = async (vae: VAE, mixture: readonly (readonly [number[], number[]])[]) => {
    const { W, b } = await decoderOf(vae);
    return Array.from({ length: data.count }, (_, example) => {
      const x = [...data.values.subarray(example * D, (example + 1) * D)];
      const logs = mixture.map(([m, v]) => {
        const mean = b.map((value, d) => value + m.reduce((sum, mj, j) => sum + mj * W[j]![d]!, 0));
        const covariance = mean.map((_, d) =>
          mean.map((_, e) => W.reduce((sum, row, j) => sum + v[j]! * row[d]! * row[e]!, d === e ? VARIANCE : 0)),
        );
        return logNormal(x, mean, covariance);
      });
      const most = Math.max(...logs);
      return most + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0) / logs.length);
    });
  };
  const expectExact = async (vae: VAE, expected: readonly number[]) => {
    const { logLikelihood, perExample, effectiveSamples, standardError } = await vae.logLikelihood(data, {
      samples: 2000,
    });
    const mean = expected.reduce((sum, value) => sum + value / expected.length, 0);
    // The estimate's bias is about half its variance, 1 / (2 effective samples).
    expect(Math.min(...effectiveSamples)).toBeGreaterThan(50);
    expect(Math.max(...effectiveSamples)).toBeLessThanOrEqual(2000.1);
    const error = perExample.map((value, i) => (value - expected[i]!) * Math.sqrt(effectiveSamples[i]!));
    expect(Math.sqrt(error.reduce((sum, e) => sum + e * e, 0) / error.length)).toBeLessThan(1.3);
    expect(Math.abs(logLikelihood - mean)).toBeLessThan(0.01);
    const spread = expected.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (expected.length - 1);
    expect(Math.abs(standardError / Math.sqrt(spread / expected.length) - 1)).toBeLessThan(0.02);
    const { elbo } = await vae.elbo(data, { samples: 20 });
    expect(elbo).toBeLessThan(mean);
  };

  test("is what it is exactly, with N(0, 1) as the prior", () =>
    withErrorScopes(device, async () => {
      using vae = await VAE.create(linear, { device, seed: 3, tuning: false });
      await vae.train(data, { epochs: 20, batchSize: 50, learningRate: 0.01 });
      await expectExact(
        vae,
        await exact(vae, [
          [
            [0, 0],
            [1, 1],
          ],
        ]),
      );
    }));

  test("and with a mixture as the prior", () =>
    withErrorScopes(device, async () => {
      const spec: ModelSpec = { ...linear, prior: { type: "mixture", components: 3 } };
      using vae = await VAE.create(spec, { device, seed: 3, tuning: false });
      await vae.train(data, { epochs: 20, batchSize: 50, learningRate: 0.01 });
      // Its components, read from a file without metadata but their names.
      const file = await vae.save();
      const length = Number(new DataView(file.buffer).getBigUint64(0, true));
      const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<
        string,
        { data_offsets: [number, number] }
      >;
      const tensor = (name: string) =>
        new Float32Array(
          file.slice(8 + length + header[name]!.data_offsets[0], 8 + length + header[name]!.data_offsets[1]).buffer,
        );
      const [means, logs] = [tensor("prior.mean"), tensor("prior.log_variance")];
      const components = [0, 1, 2].map((c) => {
        const own = (all: Float32Array) => [...all.subarray(c * Z, (c + 1) * Z)];
        return [own(means), own(logs).map(Math.exp)] as const;
      });
      await expectExact(vae, await exact(vae, components));
    }));
});

describe("of any model", () => {
  const data = waves(90, 6);
  const create = () => VAE.create(models.points([6], 3), { device, seed: 1, tuning: false });

  test("is the same for any batch, and grows with the draws", () =>
    withErrorScopes(device, async () => {
      using vae = await create();
      const all = await vae.logLikelihood(data, { samples: 70 });
      const few = await vae.logLikelihood(datasets.take(data, 7), { samples: 70 });
      expect([...few.perExample]).toEqual([...all.perExample.subarray(0, 7)]);
      const one = await vae.logLikelihood(data, { samples: 1 });
      const { elbo, step } = await vae.elbo(data);
      // One draw is the ELBO's own, but for log q - log p of the draw in place of its mean.
      expect(Math.abs(one.logLikelihood - elbo)).toBeLessThan(0.3);
      expect(one.step).toBe(step);
      expect([...one.effectiveSamples].every((value) => Math.abs(value - 1) < 1e-3)).toBe(true);
      expect(all.logLikelihood).toBeGreaterThan(one.logLikelihood);
      expect((await vae.logLikelihood(data, { samples: 70, seed: 1 })).logLikelihood).not.toBe(all.logLikelihood);
      expect(await vae.logLikelihood(data, { samples: 70 })).toEqual(all);
    }));

  test("binarised pixels are the same for all draws of an example", () =>
    withErrorScopes(device, async () => {
      const bytes = datasets.fromArray(
        Uint8Array.from({ length: 40 * 16 }, (_, i) => (i * 37) % 256),
        { shape: [16] },
      );
      using vae = await VAE.create(models.mlp([16], 2), { device, seed: 1, tuning: false });
      const binary = await vae.logLikelihood(bytes, { samples: 200, binarise: true });
      // Draws of other pixels would mix the examples' likelihoods: the bound of one x can't exceed 0.
      expect(Math.max(...binary.perExample)).toBeLessThan(0);
      const once = await vae.logLikelihood(bytes, { samples: 50, binarise: true });
      const apart = binary.perExample.map((value, i) => Math.abs(value - once.perExample[i]!));
      expect(Math.max(...apart)).toBeLessThan(0.5);
    }));

  test.each<[object, string, RegExp]>([
    [{ samples: 0 }, "INVALID_OPTION", /samples/],
    [{ samples: 2 ** 21 }, "INVALID_OPTION", /samples/],
    [{ draws: 3 }, "INVALID_OPTION", /unknown key "draws"/],
  ])("%j is refused", async (options, code, message) => {
    using vae = await create();
    await expect(vae.logLikelihood(data, options as EvaluationOptions)).rejects.toThrow(
      fault(code as "INVALID_OPTION", message),
    );
  });

  test("a model that has diverged says so", async () => {
    using vae = await create();
    const bad = datasets.fromArray(
      Float32Array.from({ length: 6 }, () => 1e30),
      { shape: [6] },
    );
    await expect(vae.logLikelihood(bad)).rejects.toThrow(fault("NON_FINITE", /logLikelihood/));
  });
});
