// A step that changes no weights does not change running statistics either, so that the state stays consistent.
import { describe, expect, test } from "vitest";
import { Device } from "../../src/device.js";
import type { StepValues } from "../../src/executable.js";
import { fromArray } from "../../src/datasets.js";
import { batchNorm, dense, residual, VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { initialStatistics } from "../../src/weights.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";
import { apart, build, distance, runOnGpu, trainOnTwins } from "../support/training.js";

const gpu = await testDevice();
const device = await Device.open({ device: gpu });
const tanh = { activation: "tanh" } as const;
const spec: ModelSpec = {
  input: [6],
  encoder: [batchNorm(), dense(8, tanh), residual([batchNorm({ momentum: 0.5 }), dense(8)])],
  latent: 2,
  decoder: [dense(8, tanh), batchNorm(), dense(6)],
  likelihood: { type: "gaussian", variance: 1 },
};
const BATCH = 8;

describe("against the twins", () => {
  const built = build({ spec, count: 5 * BATCH, gather: { batch: BATCH } }, "poisoned");
  const start = initialStatistics(built.model);
  const from = { params: built.weights, running: start };
  const [first, second, third, fourth] = built.steps as [StepValues, StepValues, StepValues, StepValues];
  const run = (of: typeof built, steps: readonly StepValues[]) =>
    withErrorScopes(gpu, () => runOnGpu(device, of, { graph: of.training, steps, schedule: "direct" }, from));
  const expectAlike = (left: Awaited<ReturnType<typeof run>>, twin: ReturnType<typeof trainOnTwins>) => {
    expect(distance(built.weights, twin.params, left.params)).toBeLessThan(apart.params);
    expect(distance(start, twin.running, left.running)).toBeLessThan(apart.running);
  };

  test("a non-finite batch, and all steps after it, leave them unchanged", async () => {
    const [[data, values]] = built.given;
    const poisonous = values.slice();
    poisonous[2 * BATCH * 6 + 3] = NaN;
    const poisoned: typeof built = { ...built, given: [[data, poisonous]] };
    const left = await run(poisoned, [first, second, third, fourth]);
    expect(left.losses.map(({ reconstruction }) => Number.isFinite(reconstruction))).toEqual([true, true, false, true]);
    expectAlike(left, trainOnTwins({ ...poisoned, steps: [first, second, third, fourth] }));
    expectAlike(left, trainOnTwins({ ...built, steps: [first, second] }));
  });

  test("a skipped step leaves them unchanged, the next one does not", async () => {
    // A factor on the gradients so large that their squares overflow; the loss is unaffected.
    const skipped = { ...third, gradient_scale: 2 ** 80 };
    const left = await run(built, [first, second, skipped, fourth]);
    expect(left.losses.every(({ reconstruction }) => Number.isFinite(reconstruction))).toBe(true);
    expectAlike(left, trainOnTwins({ ...built, steps: [first, second, fourth] }));
  });
});

test("after NON_FINITE a model is as it was after the last good step, bit for bit", async () => {
  const values = Float32Array.from({ length: 5 * BATCH * 6 }, (_, i) => Math.sin(i * i));
  const good = fromArray(values, { shape: [6] });
  const poisoned = values.slice();
  // Its square is beyond f32; its channel's mean is not.
  poisoned[2 * BATCH * 6 + 3] = 1e20;
  const options: TrainingOptions = { batchSize: BATCH, epochs: 1, shuffle: false };
  const train = async (vae: VAE, data: typeof good, more: TrainingOptions = {}) => {
    for await (const report of vae.train(data, { ...options, ...more })) void report;
  };
  await withErrorScopes(gpu, async () => {
    using broken = await VAE.create(spec, { device: gpu, seed: 1 });
    await expect(train(broken, fromArray(poisoned, { shape: [6] }))).rejects.toThrow(fault("NON_FINITE", /step 2/));
    using kept = await VAE.create(spec, { device: gpu, seed: 1 });
    await train(kept, good, { steps: 2 });
    expect(await broken.save()).toEqual(await kept.save());
    // From there both continue training, with other data and so in a new epoch, with the same result.
    const other = fromArray(
      values.map((value) => -value),
      { shape: [6] },
    );
    await train(broken, other, { steps: 3 });
    await train(kept, other, { steps: 3 });
    expect(await broken.save()).toEqual(await kept.save());
  });
});
