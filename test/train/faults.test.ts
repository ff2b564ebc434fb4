// Invalid input and failures: a typed error that names the cause and the numbers, with nothing lost.
import { describe, expect, test } from "vitest";
import { openGpu } from "../../node/gpu.js";
import * as datasets from "../../src/datasets.js";
import { dense, models, VAE, WebvaeError, type Dataset, type ModelSpec } from "../../src/index.js";
import { fault } from "../support/fault.js";
import { open, testDevice, withErrorScopes } from "../support/gpu.js";
import { countTurns, TURNS } from "../support/turns.js";

const data = datasets.digits({ split: "train", count: 64, seed: 3 });
const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(16, { activation: "relu" })],
  latent: 2,
  decoder: [dense(16, { activation: "relu" }), dense(784)],
  likelihood: "bernoulli",
};

async function drain(run: AsyncGenerator): Promise<void> {
  for await (const report of run) void report;
}

describe("options", () => {
  const cases: [string, object, RegExp][] = [
    ["a learning rate that is NaN", { learningRate: NaN }, /learningRate.*NaN/],
    ["a beta that is NaN", { beta: NaN }, /beta.*NaN/],
    ["a negative learning rate", { learningRate: -1 }, /learningRate.*-1/],
    ["zero epochs", { epochs: 0 }, /epochs.*0/],
    ["a fractional batch", { batchSize: 1.5 }, /batchSize.*1\.5/],
    ["an unknown option", { lr: 1 }, /"lr"/],
    ["an unknown optimizer", { optimizer: "sgd" }, /optimizer.*sgd/],
    ["an unknown option of Adam's", { adam: { eps: 1 } }, /adam: .*"eps".*epsilon/],
    ["no options of Adam's", { adam: null }, /adam: .*found null/],
    ["a shuffle that is text", { shuffle: "no" }, /shuffle.*"no"/],
    ["an invalid signal", { signal: {} }, /signal.*\{\}/],
    ["epochs of null", { epochs: null }, /epochs.*null/],
    ["half a step", { steps: 0.5 }, /steps.*0\.5/],
    ["a noise that is a flag", { noise: true }, /noise.*true/],
    ["a negative noise", { noise: -0.1 }, /noise.*-0\.1/],
    ["submits of a minute", { submitMs: 60_000 }, /submitMs.*500.*60000/],
    ["a noise schedule that returns NaN", { batchSize: 8, noise: () => NaN }, /noise at step 0.*NaN/],
    ["a schedule that returns NaN", { batchSize: 8, learningRate: () => NaN }, /learningRate at step 0.*NaN/],
  ];
  test.each(cases)("%s", async (_, options, message) => {
    const device = await testDevice();
    await withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device });
      await expect(drain(vae.train(data, { batchSize: 8, ...options }))).rejects.toThrow(
        fault("INVALID_OPTION", message),
      );
      // Nothing is lost: the same VAE can be trained further.
      await drain(vae.train(data, { epochs: 1, batchSize: 32 }));
      expect(vae.trained.steps).toBe(2);
    });
  });
});

describe("data", () => {
  const points = (values: number[]): Dataset => ({
    name: "points",
    shape: [784],
    count: values.length / 784,
    values: Float32Array.from(values),
  });
  const cases: [string, Dataset, RegExp][] = [
    ["another size", datasets.gaussians({ split: "train", count: 64, seed: 1 }), /gaussians.*2 values.*784/],
    ["NaN", points([...Array<number>(800).fill(0), NaN, ...Array<number>(767).fill(0)]), /NaN/],
    ["a value above 1 for a Bernoulli", points([...Array<number>(783).fill(0), 2]), /\[0, 1\].*is 2/],
    ["fewer values than its count says", { ...data, count: 65 }, /65 examples/],
  ];
  test.each(cases)("%s", async (_, dataset, message) => {
    const device = await testDevice();
    using vae = await VAE.create(spec, { device });
    const before = vae.memory().deviceBuffers;
    await expect(drain(vae.train(dataset, { batchSize: 1 }))).rejects.toThrow(fault("INVALID_DATA", message));
    await expect(vae.elbo(dataset)).rejects.toThrow(fault("INVALID_DATA", message));
    expect(vae.memory().deviceBuffers).toBe(before);
  });
});

test("a call rejects options that it would have to ignore, and names them", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create({ ...spec, input: [5, 7, 3], decoder: [dense(105)] }, { device });
    const before = vae.memory().deviceBuffers;
    const shaped = (...shape: number[]) => datasets.fromArray(new Uint8Array(210), { shape, name: "few" });
    const floats = datasets.fromArray(new Float32Array(210), { shape: [105], name: "floats" });
    const good = shaped(5, 7, 3);
    const options = { epochs: 1, batchSize: 2 };
    // Like from JavaScript, where nothing checks types.
    const none = null as never;
    const as = (given: object) => given as never;
    const refuses = async (code: "INVALID_OPTION" | "INVALID_DATA", call: Promise<unknown>, message: RegExp) =>
      expect(call).rejects.toThrow(fault(code, message));

    await refuses("INVALID_DATA", drain(vae.train(none)), /data set.*null/);
    await refuses("INVALID_DATA", drain(vae.train(as({}))), /data set: expected a Dataset, found an object/);
    await refuses("INVALID_OPTION", drain(vae.train(good, none)), /train: .*null/);
    await refuses("INVALID_DATA", vae.elbo(none), /data set.*null/);
    await refuses("INVALID_OPTION", vae.elbo(good, none), /elbo: .*null/);
    await refuses("INVALID_OPTION", vae.elbo(good, as({ sample: 2 })), /elbo: .*"sample".*samples/);
    await refuses("INVALID_OPTION", vae.elbo(good, as({ binarise: 1 })), /elbo: binarise .*1/);
    await refuses("INVALID_OPTION", vae.elbo(floats, { binarise: true }), /binarise.*data set floats/);
    await refuses("INVALID_OPTION", drain(vae.train(floats, { ...options, binarise: true })), /binarise.*floats/);
    await refuses("INVALID_OPTION", vae.sample(1, none), /sample: .*null/);
    await refuses("INVALID_OPTION", vae.sample(1, as({ noise: 1 })), /sample: noise .*1/);
    await refuses("INVALID_OPTION", vae.sample(0.5), /sample: count .*0\.5/);
    await refuses("INVALID_OPTION", vae.sample(1e12), /sample: 1000000000000 examples/);
    await refuses("INVALID_OPTION", vae.reconstruct(good, as({ sed: 1 })), /reconstruct: .*"sed"/);
    await refuses("INVALID_OPTION", vae.encode(good, as({ noise: true })), /encode: .*"noise"/);
    await refuses("INVALID_DATA", vae.encode(none), /data set.*null/);
    await refuses("INVALID_DATA", vae.encode(as(new BigInt64Array(105))), /found a BigInt64Array of 105/);
    await refuses("INVALID_DATA", vae.decode(none), /decode/);
    await refuses("INVALID_OPTION", vae.decode(new Float32Array(2), none), /decode: .*null/);
    await refuses("INVALID_OPTION", vae.save(as({ trainingState: 1 })), /save: trainingState .*1/);

    const turned = /few.*\[3, 5, 7\].*\[5, 7, 3\]/;
    await refuses("INVALID_DATA", drain(vae.train(shaped(3, 5, 7), options)), turned);
    await refuses("INVALID_DATA", vae.elbo(shaped(3, 5, 7)), turned);
    await refuses("INVALID_DATA", vae.encode(shaped(3, 5, 7)), turned);
    await refuses("INVALID_DATA", vae.reconstruct(shaped(3, 5, 7)), turned);
    await refuses("INVALID_DATA", drain(vae.train(good, { ...options, test: shaped(2) })), /^test set few: .*\[2\]/);
    await refuses("INVALID_DATA", drain(vae.train(good, { ...options, test: none })), /^test set: .*null/);
    expect(vae.memory().deviceBuffers).toBe(before);
    // Flat data fits any input shape of that size.
    await drain(vae.train(shaped(105), { ...options, test: good }));
    expect(vae.trained.steps).toBe(1);
  });
});

test("an unsuitable buffer is rejected with the numbers, and nothing is allocated", async () => {
  const device = await testDevice();
  const another = await open();
  const [from, into] = [0x04, 0x08]; // GPUBufferUsage.COPY_SRC, COPY_DST
  await withErrorScopes(another, () =>
    withErrorScopes(device, async () => {
      using vae = await VAE.create(spec, { device });
      const before = vae.memory().deviceBuffers;
      const buffer = (size: number, usage: number, on = device) => on.createBuffer({ size, usage });
      const refuses = async (code: "INVALID_OPTION" | "INVALID_DATA", call: Promise<unknown>, message: RegExp) =>
        expect(call).rejects.toThrow(fault(code, message));
      const z = new Float32Array(4);

      const short = { buffer: buffer(76, from), count: 10 };
      await refuses("INVALID_DATA", vae.decode(short), /decode: 10 rows of 2 values .* 80 bytes.*has 76 bytes/);
      await refuses("INVALID_DATA", vae.encode(short), /encode: 10 rows of 784 values .* 31360 bytes.*76 bytes/);
      const wrong = { buffer: buffer(80, into), count: 10 };
      await refuses("INVALID_DATA", vae.decode(wrong), /decode: .*COPY_SRC.*usage 8/);
      for (const count of [0, 1.5, -1, NaN]) {
        const given = { buffer: buffer(80, from), count };
        await refuses("INVALID_OPTION", vae.decode(given), new RegExp(`decode: count .*not ${count}`));
      }
      const none = { buffer: {} as GPUBuffer, count: 1 };
      await refuses("INVALID_DATA", vae.reconstruct(none), /reconstruct: .*has undefined bytes/);

      const to = buffer(2 * 784 * 4, into);
      await refuses("INVALID_OPTION", vae.sample(3, { to }), /sample: to: 3 rows of 784 .* 9408 bytes.*6272 bytes/);
      await refuses("INVALID_OPTION", vae.decode(z, { to: buffer(6272, from) }), /decode: to: .*COPY_DST.*usage 4/);
      await refuses("INVALID_OPTION", vae.decode(z, { to: null as never }), /decode: to must be a GPUBuffer, not null/);
      const both = buffer(6272, from | into);
      await refuses("INVALID_OPTION", vae.reconstruct({ buffer: both, count: 2 }, { to: both }), /to is the buffer/);

      const foreign = { buffer: buffer(80, from, another), count: 10 };
      await refuses("INVALID_DATA", vae.decode(foreign), /decode: .*gpuDevice/);
      await refuses("INVALID_OPTION", vae.decode(z, { to: buffer(6272, into, another) }), /decode: to: .*gpuDevice/);
      const gone = buffer(6272, into);
      gone.destroy();
      await refuses("INVALID_OPTION", vae.decode(z, { to: gone }), /decode: to: .*gpuDevice/);
      expect(vae.memory().deviceBuffers).toBe(before);
      // Nothing is lost: a suitable buffer is written.
      expect(await vae.decode(z, { to })).toBe(undefined);
    }),
  );
  another.destroy();
});

test("a NaN loss stops the run, names tensor and step, and keeps the last good weights", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    const layer = dense(16, { activation: "relu" });
    const deep = { ...spec, encoder: [layer, layer, layer], decoder: [layer, layer, layer, dense(784)] };
    using vae = await VAE.create(deep, { device, seed: 1 });
    // The fifth step's update makes the weights huge; the next step overflows in one of seven layers.
    const learningRate = ({ step }: { step: number }) => (step === 4 ? 1e6 : 1e-3);
    const broken = vae.train(data, { epochs: 20, batchSize: 16, learningRate });
    const error = await drain(broken).then(
      () => undefined,
      (thrown: unknown) => thrown as WebvaeError,
    );
    expect(error?.code).toBe("NON_FINITE");
    expect(error?.message).toMatch(/at step \d+ .*the first tensor with such a value is [\w.]+, made by \w+/);
    const saved = await vae.save();
    const values = new Float32Array(saved.slice(saved.length - 4000).buffer);
    expect(values.every(Number.isFinite)).toBe(true);
    // And it can be trained again.
    await expect(VAE.load(saved, { device })).resolves.toBeInstanceOf(VAE);
  });
});

test("an abort ends a run at once, at any moment", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device });
    for (const delay of [0, 1, 5, 20, 60]) {
      const abort = new AbortController();
      let turns = () => Infinity;
      setTimeout(() => {
        turns = countTurns();
        abort.abort();
      }, delay);
      await expect(drain(vae.train(data, { epochs: 100_000, batchSize: 16, signal: abort.signal }))).rejects.toThrow(
        /abort/i,
      );
      // The benchmarks measure the milliseconds.
      expect(turns()).toBeLessThanOrEqual(TURNS);
    }
    const aborted = AbortSignal.abort(new Error("never begun"));
    await expect(drain(vae.train(data, { batchSize: 16, signal: aborted }))).rejects.toThrow("never begun");
    await expect(vae.elbo(data, { signal: aborted })).rejects.toThrow("never begun");
    await expect(vae.sample(4, { signal: aborted })).rejects.toThrow("never begun");
    await expect(vae.save()).resolves.toBeInstanceOf(Uint8Array);
  });
});

test("a lost device ends a run with DEVICE_LOST at once", async () => {
  const device = await open();
  const vae = await VAE.create(spec, { device });
  let lost = false;
  let turns = () => 0;
  void device.lost.then(() => (turns = countTurns()));
  const run = (async () => {
    for await (const report of vae.train(data, { epochs: 100_000, batchSize: 16 })) {
      if (report.step > 3 && !lost) {
        lost = true;
        device.destroy();
      }
    }
  })();
  await expect(run).rejects.toThrow(fault("DEVICE_LOST", /lost/));
  // Since the test was notified.
  expect(turns()).toBeLessThanOrEqual(TURNS);
  await expect(vae.sample(1)).rejects.toThrow(fault("DEVICE_LOST", /lost/));
  // The last copy is still available.
  using loaded = await VAE.load(await vae.save({ trainingState: true }), { device: await testDevice() });
  expect(loaded.trained).toEqual(vae.trained);
  vae.dispose();
  await expect(vae.save()).rejects.toThrow(fault("DISPOSED", /disposed/));
});

test("each step towards a device fails with its own code", async () => {
  const gpu = (parts: object) => ({ gpu: parts as GPU });
  await expect(VAE.create(spec, gpu({ requestAdapter: () => Promise.resolve(null) }))).rejects.toThrow(
    fault("NO_ADAPTER", /no adapter/),
  );
  const adapter = await (await openGpu()).requestAdapter();
  const refusing = { limits: adapter!.limits, features: adapter!.features, info: adapter!.info };
  const requestDevice = () => Promise.reject(new Error("not today"));
  const requestAdapter = () => Promise.resolve({ ...refusing, requestDevice });
  await expect(VAE.create(spec, gpu({ requestAdapter }))).rejects.toThrow(fault("DEVICE_REFUSED", /not today/));
});

test("a model too large for the adapter is rejected before anything is allocated", async () => {
  const device = await testDevice();
  const huge = models.mlp([2 ** 14, 2 ** 6, 1], 2);
  const before = device.limits.maxStorageBufferBindingSize;
  await expect(VAE.create(huge, { device })).rejects.toThrow(
    fault("LIMIT_EXCEEDED", new RegExp(`parameters take \\d+ bytes.*${before}`)),
  );
});

describe("model files", () => {
  test("truncated, with another spec, or with a NaN", async () => {
    const device = await testDevice();
    using vae = await VAE.create(spec, { device, seed: 1 });
    const good = await vae.save();
    const load = (bytes: Uint8Array, options = {}) => VAE.load(bytes, { device, ...options });
    await expect(load(good.slice(0, -1))).rejects.toThrow(fault("INVALID_FILE", /./));
    await expect(load(good.slice(0, 6))).rejects.toThrow(fault("INVALID_FILE", /./));
    await expect(load(new Uint8Array())).rejects.toThrow(fault("INVALID_FILE", /./));
    await expect(load(good, { spec: models.mlp([28, 28, 1], 2) })).rejects.toThrow(fault("SPEC_MISMATCH", /400/));
    const poisoned = good.slice();
    poisoned.set([0, 0, 0xc0, 0x7f], poisoned.length - 4);
    await expect(load(poisoned)).rejects.toThrow(fault("NON_FINITE", /is NaN at index/));
    const renamed = good.slice();
    const header = new TextDecoder("latin1").decode(renamed);
    renamed.set(new TextEncoder().encode("maan.bias"), header.indexOf("mean.bias"));
    await expect(load(renamed)).rejects.toThrow(fault("SPEC_MISMATCH", /mean\.bias/));
    // Names all tensors that do not fit, not only the first.
    renamed.set(new TextEncoder().encode("mean.waight"), header.indexOf("mean.weight"));
    await expect(load(renamed)).rejects.toThrow(fault("SPEC_MISMATCH", /no tensor mean\.weight.*no tensor mean\.bias/));
    // A bad file does not affect an existing model: loading creates a new one or nothing.
    expect(await vae.save()).toEqual(good);
  });
});
