// A run is reproducible bit for bit: when repeated, in two halves with a save in between, and interrupted and
// continued.
import { expect, test, vi } from "vitest";
import * as datasets from "../../src/datasets.js";
import { Device } from "../../src/device.js";
import { dense, VAE, type ModelSpec, type TrainingOptions } from "../../src/index.js";
import { runnable } from "../../src/products.js";
import { fault } from "../support/fault.js";
import { testDevice, withErrorScopes } from "../support/gpu.js";

const data = datasets.digits({ split: "train", count: 300, seed: 3 });
const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(48, { activation: "relu" })],
  latent: 6,
  decoder: [dense(48, { activation: "tanh" }), dense(784)],
  likelihood: "bernoulli",
};
const options: TrainingOptions = {
  batchSize: 32,
  learningRate: ({ step }) => 1e-3 / (1 + step / 10),
  beta: ({ epoch }) => Math.min(1, 0.5 + epoch / 4),
};

async function trained(vae: VAE, epochs: number): Promise<VAE> {
  for await (const report of vae.train(data, { ...options, epochs })) expect(report.elbo).toBeLessThan(0);
  return vae;
}

test("two runs with the same seed end with the same bits, another seed with different ones", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    const saved: Uint8Array[] = [];
    for (const seed of [5, 5, 6]) {
      using vae = await trained(await VAE.create(spec, { device, seed }), 2);
      saved.push(await vae.save({ trainingState: true }));
    }
    expect(saved[1]).toEqual(saved[0]);
    expect(saved[2]).not.toEqual(saved[0]);
  });
});

test("a run split in two by save and load ends with the same bits as one", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using whole = await trained(await VAE.create(spec, { device, seed: 5 }), 4);
    using first = await trained(await VAE.create(spec, { device, seed: 5 }), 2);
    const between = await first.save({ trainingState: true });
    using second = await trained(await VAE.load(between, { device, spec }), 2);
    expect(second.trained).toEqual({ steps: 4 * 10, epochs: 4 });
    expect(await second.save({ trainingState: true })).toEqual(await whole.save({ trainingState: true }));
    // Without the moments the second half differs, so the test above can fail.
    using fresh = await trained(await VAE.load(await first.save(), { device, seed: 5 }), 2);
    expect(await fresh.save()).not.toEqual(await whole.save());
  });
});

test("a run interrupted within an epoch continues where it was", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using whole = await trained(await VAE.create(spec, { device, seed: 5 }), 2);
    using vae = await VAE.create(spec, { device, seed: 5 });
    for await (const report of vae.train(data, { ...options, epochs: 2 })) if (report.step > 0) break;
    const { steps } = vae.trained;
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThan(20);
    await trained(vae, 2 - vae.trained.epochs);
    expect(vae.trained).toEqual({ steps: 20, epochs: 2 });
    expect(await vae.save({ trainingState: true })).toEqual(await whole.save({ trainingState: true }));
  });
});

test("steps: a run ends after that many, within an epoch or at its end, and the next continues from there", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using whole = await trained(await VAE.create(spec, { device, seed: 5 }), 2);
    using vae = await VAE.create(spec, { device, seed: 5 });
    // An epoch is ten steps, the last with 12 rows. The runs end within an epoch, at its end, in the next one, and at
    // its end.
    for (const [steps, ends] of [
      [1, []],
      [9, [9]],
      [3, []],
      [7, [7]],
    ] as const) {
      const before = vae.trained.steps;
      const tested: number[] = [];
      for await (const report of vae.train(data, { ...options, steps, test: data })) {
        expect(report.steps).toBe(steps);
        if (report.epochEnd?.test) tested.push(report.step);
      }
      expect([vae.trained.steps - before, tested]).toEqual([steps, ends]);
    }
    expect(vae.trained).toEqual({ steps: 20, epochs: 2 });
    expect(await vae.save({ trainingState: true })).toEqual(await whole.save({ trainingState: true }));
  });
});

test("every schedule of the products gives the same bits", async () => {
  // A product's sums are computed in the same order in every schedule, so tuning cannot change a result.
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    const saved: Uint8Array[] = [];
    using start = await VAE.create(spec, { device, seed: 5 });
    for await (const report of start.train(data, { ...options, epochs: 1 })) expect(report.step).toBeGreaterThan(0);
    const state = new TextDecoder("latin1").decode(await start.save({ trainingState: true }));
    const names = [...state.matchAll(/\\"(linear[^"\\]*)\\":\\"(\w+)\\"/g)];
    expect(names.length).toBeGreaterThan(6);
    for (const schedule of runnable(await Device.open({ device }))) {
      if (schedule === "winograd") continue;
      const forced = forceSchedules(await start.save({ trainingState: true }), schedule);
      using vae = await trained(await VAE.load(forced, { device }), 1);
      saved.push(await vae.save());
    }
    expect(saved.length).toBeGreaterThan(1);
    for (const other of saved) expect(other).toEqual(saved[0]);
  });
});

test("a checkpoint's schedules override those of a store, and are saved again", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using start = await trained(await VAE.create(spec, { device, seed: 5 }), 1);
    const forced = forceSchedules(await start.save({ trainingState: true }), "tiled");
    const schedules = schedulesOf(forced);
    expect(Object.keys(schedules).length).toBeGreaterThan(6);
    const store = {
      load: () => Promise.resolve(Object.fromEntries(Object.keys(schedules).map((key) => [key, "direct" as const]))),
      save: () => Promise.resolve(),
    };
    using vae = await trained(await VAE.load(forced, { device, tuning: store }), 1);
    expect(schedulesOf(await vae.save({ trainingState: true }))).toEqual(schedules);
  });
});

function schedulesOf(bytes: Uint8Array): Record<string, string> {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as {
    __metadata__: { training_state: string };
  };
  return (JSON.parse(header.__metadata__.training_state) as { schedules: Record<string, string> }).schedules;
}

/** The same checkpoint with one schedule for all products. */
function forceSchedules(bytes: Uint8Array, schedule: string): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as {
    __metadata__: { training_state: string };
  };
  const state = JSON.parse(header.__metadata__.training_state) as { schedules: Record<string, string> };
  for (const key of Object.keys(state.schedules)) state.schedules[key] = schedule;
  header.__metadata__.training_state = JSON.stringify(state);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + padded + bytes.length - 8 - length).fill(0x20);
  new DataView(out.buffer).setUint32(0, padded, true);
  new DataView(out.buffer).setUint32(4, 0, true);
  out.set(text, 8);
  out.set(bytes.subarray(8 + length), 8 + padded);
  return out;
}

test("one batch overfits", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    const few = datasets.take(data, 8);
    const again = Uint8Array.from({ length: 50 * few.values.length }, (_, i) => few.values[i % few.values.length]!);
    const repeated = datasets.fromArray(again, { shape: few.shape });
    using vae = await VAE.create(spec, { device, seed: 1 });
    const losses: number[] = [];
    const run = vae.train(repeated, { epochs: 20, batchSize: 8, learningRate: 5e-3, beta: 0, shuffle: false });
    for await (const report of run) losses.push(report.reconstruction);
    // Grey pixels leave the entropy of the targets themselves; anything above that is the model's fault.
    const floor = entropy(few.values as Uint8Array) / few.count;
    expect(losses[0]! - floor).toBeGreaterThan(300);
    expect(losses.at(-1)! - floor).toBeLessThan(10);
  });
});

/** Cross-entropy of pixels with themselves, in nats. */
function entropy(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    const p = byte / 255;
    if (p > 0 && p < 1) sum -= p * Math.log(p) + (1 - p) * Math.log(1 - p);
  }
  return sum;
}

test("buffers return to the baseline, and a second run on a VAE is rejected while the first continues", async () => {
  const device = await testDevice();
  await withErrorScopes(device, async () => {
    using vae = await VAE.create(spec, { device, seed: 1 });
    const { deviceBuffers } = vae.memory();
    const first = vae.train(data, { ...options, epochs: 1 });
    await first.next();
    await expect(vae.train(data, options).next()).rejects.toThrow(fault("BUSY", /one run at a time/));
    await first.return();
    // Moments, gradients and the halt flag stay for the next run; the run's own buffers do not.
    await vi.waitFor(() => expect(vae.memory().deviceBuffers).toBe(deviceBuffers + 4), { timeout: 60_000 });
    vae.dispose();
    vae.dispose();
    await expect(vae.sample(1)).rejects.toThrow(fault("DISPOSED", /disposed/));
  });
});
