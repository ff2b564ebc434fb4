// Weights by name: what is read and replaced is what a file has, and nothing the VAE keeps is older.
import { describe, expect, test } from "vitest";
import * as datasets from "../../src/datasets.js";
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  reshape,
  VAE,
  type ModelSpec,
  type WebvaeError,
  type WeightValues,
} from "../../src/index.js";
import { asFloat32, readSafetensors } from "../../src/safetensors.js";
import { fault } from "../support/fault.js";
import { open, testDevice, withErrorScopes } from "../support/gpu.js";

/** Odd sizes, so that every tensor is padded, and the two heads lie side by side in each row. */
const spec: ModelSpec = {
  input: [4, 4, 3],
  encoder: [conv2d(5, 3, { stride: 2 }), batchNorm({ activation: "relu" })],
  latent: 3,
  decoder: [
    dense(2 * 2 * 6),
    batchNorm({ activation: "silu" }),
    reshape(2, 2, 6),
    convTranspose2d(3, 3, { stride: 2 }),
  ],
  likelihood: { type: "gaussian", variance: "learned" },
};
const dataOf = (count: number) =>
  datasets.fromArray(
    Float32Array.from({ length: count * 48 }, (_, i) => Math.sin(i * i)),
    { shape: [4, 4, 3], name: "waves" },
  );
const data = dataOf(40);
const training = { batchSize: 8, epochs: 1 };
const device = await testDevice();
const create = (seed: number, on = device) => VAE.create(spec, { device: on, seed, tuning: false });

async function trained(seed = 4, on = device): Promise<VAE> {
  const vae = await create(seed, on);
  await vae.train(data, training);
  return vae;
}

/** The values of a file's tensors, by name. */
const valuesIn = (file: Uint8Array) =>
  new Map([...readSafetensors(file).tensors].map(([name, tensor]) => [name, asFloat32(tensor)]));
const BIAS = "decoder.3.bias";
const values = Float32Array.of(1, -2, 3);

test("list and get give a file's names, shapes and values", () =>
  withErrorScopes(device, async () => {
    using vae = await trained();
    const { tensors } = readSafetensors(await vae.save());
    const list = vae.weights.list();
    expect(new Map(list.map(({ name, shape }) => [name, shape]))).toEqual(
      new Map([...tensors].map(([name, { shape }]) => [name, shape])),
    );
    expect(list).toHaveLength(tensors.size);
    for (const [name, tensor] of tensors)
      expect([name, await vae.weights.get(name)]).toEqual([name, asFloat32(tensor)]);
    // They are the caller's to change.
    (list[0]!.shape as number[]).length = 0;
    expect(vae.weights.list()[0]!.shape).not.toEqual([]);
    expect(vae.weights).toBe(vae.weights);
  }));

test("a VAE that is given all weights of another is the other, and trains like it", () =>
  withErrorScopes(device, async () => {
    using from = await trained();
    using to = await create(9);
    // All at once: two of them are side by side in one tensor.
    await Promise.all(from.weights.list().map(async ({ name }) => to.weights.set(name, await from.weights.get(name))));
    const file = await from.save();
    expect(await to.save()).toEqual(file);
    expect(to.trained.steps).toBe(0);
    // With anything in the padding it would train otherwise.
    using loaded = await VAE.load(file, { device, seed: 9, tuning: false });
    for (const vae of [to, loaded]) await vae.train(data, training);
    expect(await to.save()).toEqual(await loaded.save());
  }));

test("set changes that tensor alone, and neither moments nor the count of steps", () =>
  withErrorScopes(device, async () => {
    using vae = await trained();
    const before = valuesIn(await vae.save({ trainingState: true }));
    for (const { name, shape } of vae.weights.list()) {
      const own = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 0.25 + i / 8);
      await vae.weights.set(name, own);
      before.set(name, own);
      expect([name, valuesIn(await vae.save({ trainingState: true }))]).toEqual([name, before]);
    }
    expect(vae.trained).toEqual({ steps: 5, epochs: 1 });
  }));

test("values are copied in the call, from any array of numbers", () =>
  withErrorScopes(device, async () => {
    using vae = await create(4);
    const given: WeightValues[] = [
      [1, -2, 3],
      Float64Array.of(1, -2, 3),
      Int8Array.of(1, -2, 3),
      new Float32Array(new SharedArrayBuffer(12)),
      new Float32Array(100).subarray(50, 53),
    ];
    for (const own of given) {
      const setting = vae.weights.set(BIAS, Object.assign(own, [1, -2, 3]));
      Object.assign(own, [7, 7, 7]);
      await setting;
      expect(await vae.weights.get(BIAS)).toEqual(values);
      await vae.weights.set(BIAS, [0, 0, 0]);
    }
    // What is read is a copy too.
    (await vae.weights.get(BIAS)).fill(5);
    expect(await vae.weights.get(BIAS)).toEqual(new Float32Array(3));
  }));

describe("refused", () => {
  const names: [unknown, RegExp][] = [
    ["decoder.3.bais", /no tensor "decoder\.3\.bais"; did you mean "decoder\.3\.bias"\?$/],
    ["decoder.0.kernel", /did you mean "decoder\.0\.weight"\?$/],
    ["encoder.1.running_var", /did you mean "encoder\.1\.running_variance"\?$/],
    ["logvariance.weight", /did you mean "log_variance\.weight"\?$/],
    ["heads.weight", /did you mean "mean\.weight"\?$/],
    ["", /no tensor ""; did you mean "\w+/],
    ["__proto__", /no tensor "__proto__"/],
    ["x".repeat(1e6), /no tensor "x{10}/],
    [5, /name must be text, not 5$/],
    [null, /name must be text, not null$/],
    [undefined, /name must be text, not undefined$/],
  ];
  test.each(names.map(([name, says]) => [String(name).slice(0, 30), name, says] as const))(
    "the name %s",
    async (_, name, says) => {
      using vae = await create(4);
      for (const call of ["get", "set"] as const) {
        const error = (await vae.weights[call](name as string, values).catch(
          (thrown: unknown) => thrown,
        )) as WebvaeError;
        expect(error).toEqual(fault("INVALID_OPTION", says));
        expect(error.message.startsWith(`weights.${call}: `)).toBe(true);
        expect(error.message.length).toBeLessThan(300);
      }
    },
  );

  const throwing = {
    get slice(): never {
      throw new Error("no");
    },
  };
  const cases: [string, unknown, RegExp][] = [
    ["too few", [1, 2], /expected 3 floats, \[3\] in one array, found an Array of 2/],
    ["too many", new Float32Array(4), /found a Float32Array of 4/],
    ["none", [], /found an Array of 0/],
    ["NaN", Float32Array.of(1, NaN, 2), /value 1 of 3 is NaN, not finite/],
    ["an infinity", [1, 2, -Infinity], /value 2 .* is -Infinity/],
    ["a double beyond floats", [1, 1e39, 2], /value 1 .* is 1e\+39, not a finite 32-bit float/],
    ["text in it", ["1", 2, 3], /value 0 .* is "1"/],
    ["a hole in it", [1, , 3], /value 1 .* is undefined/], // eslint-disable-line no-sparse-arrays
    ["rows", [[1], [2], [3]], /found an Array of 1 in it/],
    ["bytes", Uint8Array.of(1, 2, 3), /found a Uint8Array of 3/],
    ["bigints", BigInt64Array.of(1n, 2n, 3n), /a BigInt64Array of 3/],
    ["null", null, /found null/],
    ["a number", 3, /found 3/],
    ["text", "123", /found "123"/],
    ["an object", { length: 3 }, /found an object/],
    ["what throws", throwing, /cannot be read/],
    ["a promise", Promise.resolve(values), /await it first/],
  ];
  test.each(cases)("values: %s", async (_, given, says) => {
    using vae = await create(4);
    const before = await vae.save();
    await expect(vae.weights.set(BIAS, given as number[])).rejects.toThrow(fault("INVALID_DATA", says));
    expect(await vae.save()).toEqual(before);
  });

  test("set during a run; get is not", () =>
    withErrorScopes(device, async () => {
      using vae = await trained();
      const run = vae.train(data, { batchSize: 8, epochs: 1000 });
      await run.next();
      await expect(vae.weights.set(BIAS, values)).rejects.toThrow(fault("BUSY", /weights\.set: .*end the run/));
      expect(await vae.weights.get(BIAS)).toHaveLength(3);
      await run.return();
      await vae.weights.set(BIAS, values);
      expect(await vae.weights.get(BIAS)).toEqual(values);
    }));

  test("set that has to wait until a run begins", () =>
    withErrorScopes(device, async () => {
      using vae = await create(4);
      // A call that needs the weights of one moment makes it wait, once it has submitted something.
      const abort = new AbortController();
      const { queue } = device;
      const submitted = new Promise<void>((done) => {
        const submit = queue.submit.bind(queue);
        queue.submit = (commands) => (done(), submit(commands));
      });
      const evaluating = vae.elbo(dataOf(2000), { samples: 1000, signal: abort.signal });
      await submitted;
      Reflect.deleteProperty(queue, "submit");
      const setting = vae.weights.set(BIAS, values);
      await new Promise((done) => setTimeout(done, 5));
      const next = vae.train(data, { batchSize: 8, steps: 3 });
      const report = next.next();
      abort.abort();
      await expect(evaluating).rejects.toThrow(/abort/i);
      await expect(setting).rejects.toThrow(fault("BUSY", /trained/));
      await report;
      await next.return();
    }));

  test("after dispose, and after a loss", async () => {
    const own = await open();
    const vae = await create(4, own);
    own.destroy();
    await expect(vae.weights.get(BIAS)).rejects.toThrow(fault("DEVICE_LOST", /lost/));
    await expect(vae.weights.set(BIAS, values)).rejects.toThrow(fault("DEVICE_LOST", /lost/));
    vae.dispose();
    await expect(vae.weights.get(BIAS)).rejects.toThrow(fault("DISPOSED", /disposed/));
    await expect(vae.weights.set(BIAS, values)).rejects.toThrow(fault("DISPOSED", /disposed/));
    expect(vae.weights.list().length).toBeGreaterThan(10);
  });
});

test("during a run, get sees the weights of one step", () =>
  withErrorScopes(device, async () => {
    const names = ["decoder.0.weight", "mean.weight", "encoder.1.running_variance"];
    // The same run, one step at a time.
    const steps: Map<string, Float32Array>[] = [];
    using slow = await create(4);
    for (let step = 0; step <= 30; step++) {
      steps.push(valuesIn(await slow.save()));
      await slow.train(data, { ...training, epochs: 10, steps: 1 });
    }
    using vae = await create(4);
    const got: Promise<readonly [string, Float32Array]>[] = [];
    const learningRate = ({ step }: { step: number }) => {
      const name = names[step % 3]!;
      if (step % 2 === 0)
        setTimeout(() => got.push(vae.weights.get(name).then((found) => [name, found] as const)), step % 5);
      return 1e-3;
    };
    await vae.train(data, { ...training, epochs: 10, steps: 30, submitMs: 1, learningRate });
    const all = await Promise.all(got);
    expect(all.length).toBeGreaterThan(10);
    const at = all.map(([name, found]) =>
      steps.findIndex(
        (weights) => Buffer.compare(Buffer.from(weights.get(name)!.buffer), Buffer.from(found.buffer)) === 0,
      ),
    );
    expect(at).not.toContain(-1);
    expect(new Set(at).size).toBeGreaterThan(1);
  }));

test("a call of several submits has either the weights before a set or those after it", () =>
  withErrorScopes(device, async () => {
    using vae = await create(4);
    const many = dataOf(2000);
    const name = "decoder.3.weight";
    const [one, two] = [-1, 1].map((factor) => new Float32Array(162).fill(factor / 4));
    const known: unknown[] = [];
    for (const own of [one!, two!]) {
      await vae.weights.set(name, own);
      known.push(await vae.elbo(many, { samples: 3 }));
    }
    for (let i = 0; i < 4; i++) {
      const evaluating = vae.elbo(many, { samples: 3 });
      await new Promise((done) => setTimeout(done, 7 * i));
      await vae.weights.set(name, i % 2 ? two! : one!);
      expect(known).toContainEqual(await evaluating);
    }
  }));

describe("what is kept has the set weights", () => {
  /** Loses the VAE's device, and gives what save still returns. */
  const savedAfterLoss = async (vae: VAE): Promise<Map<string, Float32Array>> => {
    vae.gpuDevice.destroy();
    await vae.gpuDevice.lost;
    await expect(vae.sample(1)).rejects.toThrow(fault("DEVICE_LOST", /lost/));
    return valuesIn(await vae.save({ trainingState: true }));
  };

  test("when the device is lost after a run, or during the next one", async () => {
    for (const during of [false, true]) {
      const vae = await trained(4, await open());
      await vae.weights.set(BIAS, values);
      await vae.weights.set("encoder.1.running_mean", new Float32Array(5).fill(2));
      const before = valuesIn(await vae.save({ trainingState: true }));
      if (during) {
        const lose = ({ step }: { step: number }) => {
          if (step === 7) vae.gpuDevice.destroy();
          return 0;
        };
        await expect(vae.train(data, { ...training, epochs: 100, learningRate: lose })).rejects.toThrow(
          fault("DEVICE_LOST", /made after 5 steps/),
        );
      }
      expect(await savedAfterLoss(vae)).toEqual(before);
      expect(vae.trained.steps).toBe(5);
      vae.dispose();
    }
  });

  test("after a run that was broken off, while its last copy is being made", async () => {
    for (const wait of [0, 1, 3]) {
      const vae = await create(4, await open());
      for await (const report of vae.train(data, { ...training, epochs: 100, submitMs: 1 })) if (report.step > 3) break;
      await new Promise((done) => setTimeout(done, wait));
      await vae.weights.set(BIAS, values);
      const before = valuesIn(await vae.save({ trainingState: true }));
      expect(before.get(BIAS)).toEqual(values);
      expect(await savedAfterLoss(vae)).toEqual(before);
      vae.dispose();
    }
  });

  test("after a run that ended with an error, since when nothing was copied", async () => {
    const vae = await trained(4, await open());
    const broken = ({ step }: { step: number }) => (step < 9 ? 1e-3 : NaN);
    await expect(vae.train(data, { ...training, epochs: 100, learningRate: broken })).rejects.toThrow(
      fault("INVALID_OPTION", /learningRate at step 9/),
    );
    expect(vae.trained.steps).toBeGreaterThan(5);
    await vae.weights.set(BIAS, values);
    const before = valuesIn(await vae.save({ trainingState: true }));
    expect(await savedAfterLoss(vae)).toEqual(before);
    vae.dispose();
  });

  test("after a loss that was not finite", async () => {
    const vae = await trained(4, await open());
    const spoiled = data.values.slice() as Float32Array;
    spoiled[9 * 48] = 1e30;
    const poisoned = datasets.fromArray(spoiled, { shape: [4, 4, 3] });
    await expect(vae.train(poisoned, { ...training, shuffle: false })).rejects.toThrow(fault("NON_FINITE", /loss/));
    await vae.weights.set(BIAS, values);
    const before = valuesIn(await vae.save({ trainingState: true }));
    expect(before.get(BIAS)).toEqual(values);
    expect(await savedAfterLoss(vae)).toEqual(before);
    vae.dispose();
  });

  test("when the next run has to go back to it", () =>
    withErrorScopes(device, async () => {
      const digits = datasets.digits({ split: "train", count: 64, seed: 3 });
      const layer = dense(16, { activation: "relu" });
      const pixels: ModelSpec = {
        input: [28, 28, 1],
        encoder: [layer],
        latent: 2,
        decoder: [layer, dense(784)],
        likelihood: "bernoulli",
      };
      using vae = await VAE.create(pixels, { device, seed: 1, tuning: false });
      await vae.train(digits, { epochs: 2, batchSize: 16 });
      await vae.weights.set("mean.bias", [0.5, -0.5]);
      const before = valuesIn(await vae.save({ trainingState: true }));
      // Large enough for the gradient to overflow, but not the loss.
      const learningRate = ({ step }: { step: number }) => (step === 8 ? 1e6 : 1e-3);
      await expect(vae.train(digits, { epochs: 100, batchSize: 16, learningRate })).rejects.toThrow(
        fault("NON_FINITE", /The weights are those after 8 steps, the last copy/),
      );
      expect(valuesIn(await vae.save({ trainingState: true }))).toEqual(before);
    }));

  test("before any run nothing is kept: after a loss save says that the device is lost", async () => {
    const vae = await create(4, await open());
    await vae.weights.set(BIAS, values);
    vae.gpuDevice.destroy();
    await vae.gpuDevice.lost;
    await expect(vae.save()).rejects.toThrow(fault("DEVICE_LOST", /lost/));
    vae.dispose();
  });
});
