// What the tuner measures, stores and reuses, on a device that computes nothing.
import { describe, expect, test, vi } from "vitest";
import { Device } from "../../src/device.js";
import type { TuningStore } from "../../src/index.js";
import { conv2dTranspose } from "../../src/ops/conv2d.js";
import { workgroupSizes, type Schedule } from "../../src/ops/op.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import { candidates, runnable, shapeClass } from "../../src/products.js";
import { createTuner } from "../../src/tuner.js";
import { KERNELS, usualSchedule } from "../../src/tuning_table.js";
import { graphOf } from "../support/dense.js";
import { open, withErrorScopes } from "../support/gpu.js";

const large = graphOf([128, 512, 512]);
const [key] = large.nodes.map(shapeClass) as [string];
const PATIENT = 1e6;

/** A new device, because the tuner remembers by device; measurements on it are counted. */
async function opened() {
  const gpu = await open({ backend: "null" });
  const device = await Device.open({ device: gpu });
  const counts = { runs: 0, pipelines: 0, queries: 0 };
  const createCommandEncoder = gpu.createCommandEncoder.bind(gpu);
  gpu.createCommandEncoder = (descriptor) => {
    if (descriptor?.label === "tune") counts.runs++;
    return createCommandEncoder(descriptor);
  };
  const createQuerySet = gpu.createQuerySet.bind(gpu);
  gpu.createQuerySet = (descriptor) => {
    counts.queries++;
    const made = createQuerySet(descriptor);
    const destroy = made.destroy.bind(made);
    made.destroy = () => {
      counts.queries--;
      return destroy();
    };
    return made;
  };
  const pipeline = device.pipeline.bind(device);
  device.pipeline = (...of) => {
    counts.pipelines++;
    return pipeline(...of);
  };
  return { device, counts };
}

/** A store in memory that records its calls. */
function memory(content?: Record<string, Schedule>) {
  const kept = new Map<string, Readonly<Record<string, Schedule>>>();
  const load = vi.fn((name: string) => Promise.resolve(content ?? kept.get(name)));
  const save = vi.fn((name: string, choices: Readonly<Record<string, Schedule>>) => {
    kept.set(name, choices);
    return Promise.resolve();
  });
  return { load, save } satisfies TuningStore;
}

describe("what is tried", () => {
  const dense = large.nodes[0]!;
  // Doubles 16x16 pixels by a kernel of twice its stride, as Winograd's filtering needs it.
  const doubled = conv2dTranspose(
    "y",
    tensor("x", "input", [16, 16, 16, 64]),
    weightTensor("W", "param", [4, 4, 64], [64]),
    tensor("b", "param", [64]),
    { stride: [2, 2], pad: [1, 1], size: [32, 32] },
  );
  /** The null device as if it were another: of a processor or not, with these features. */
  async function like(software: boolean, ...features: GPUFeatureName[]) {
    const { device } = await opened();
    Object.defineProperty(device, "software", { value: software });
    Object.defineProperty(device.gpu, "features", { value: new Set<string>(features) });
    return device;
  }

  test("on a GPU, nothing that has workgroups of four lanes, even if it runs there", async () => {
    const device = await like(false, "subgroups");
    expect(runnable(device, dense)).toContain("subgroups");
    expect(runnable(device, doubled)).toContain("winograd");
    for (const node of [dense, doubled]) expect(candidates(device, node)).toEqual(["direct", "tiled"]);
    expect(Object.entries(workgroupSizes).filter(([, lanes]) => lanes <= 4)).toEqual([["subgroups", 4]]);
    const counted = await opened();
    const tried = vi.spyOn(counted.device, "pipeline");
    await createTuner(counted.device, undefined, PATIENT).choose(large);
    const shaders = tried.mock.calls.map(([{ name }]) => name);
    expect(counted.device.software).toBe(false);
    expect([...new Set(shaders)].sort()).toEqual(["linear", "linear.tiled"]);
  });

  test("on a software adapter, no tiles of workgroup memory", async () => {
    const device = await like(true, "subgroups");
    expect(candidates(device, dense)).toEqual(["direct", "subgroups"]);
    expect(candidates(device, doubled)).toEqual(["direct", "subgroups", "winograd"]);
  });

  test("only what the device has the features for", async () => {
    const device = await like(true);
    for (const node of [dense, doubled]) expect(candidates(device, node)).toEqual(["direct"]);
    expect(candidates(await like(false), doubled)).toEqual(["direct", "tiled"]);
  });
});

describe("the store", () => {
  test("is read once and written once, keyed by adapter, schedules and version; the next device measures nothing", async () => {
    const first = await opened();
    const store = memory();
    const tuner = createTuner(first.device, store, PATIENT);
    const choices = await withErrorScopes(first.device.gpu, () => tuner.choose(large));
    expect(first.counts.runs).toBeGreaterThanOrEqual(3 * candidates(first.device, large.nodes[0]!).length);
    await tuner.choose(large);
    const name = `${first.device.adapterName}; ${runnable(first.device).join(" ")}; kernels ${KERNELS}`;
    expect(store.load.mock.calls).toEqual([[name]]);
    expect(store.save.mock.calls).toEqual([[name, { [key]: choices[key] }]]);

    const second = await opened();
    expect(await createTuner(second.device, store, PATIENT).choose(large)).toEqual(choices);
    expect([second.counts.runs, second.counts.pipelines]).toEqual([0, 0]);
    expect(store.save).toHaveBeenCalledTimes(1);
    // A product that it does not contain is measured and added.
    const other = graphOf([256, 512, 512]);
    await createTuner(second.device, store, PATIENT).choose(other);
    expect(second.counts.runs).toBeGreaterThan(0);
    expect(Object.keys(store.save.mock.calls[1]![1]).sort()).toEqual([key, shapeClass(other.nodes[0]!)].sort());
  });

  test.each(["direct", "tiled"] as const)("its choice is used without measuring: %s", async (schedule) => {
    const { device, counts } = await opened();
    expect(await createTuner(device, memory({ [key]: schedule }), PATIENT).choose(large)).toEqual({ [key]: schedule });
    expect(counts.runs).toBe(0);
  });

  const wrong: [string, unknown][] = [
    ["an unknown schedule", { [key]: "fastest" }],
    ["a number", { [key]: 1 }],
    ["text", "abc"],
    ["null", null],
    ["a list", ["fastest"]],
  ];
  test.each(wrong)("%s in it is ignored", async (_, content) => {
    const { device, counts } = await opened();
    const store = memory(content as Record<string, Schedule>);
    const choices = await createTuner(device, store, PATIENT).choose(large);
    expect(candidates(device, large.nodes[0]!)).toContain(choices[key]);
    expect(counts.runs).toBeGreaterThan(0);
    expect(store.save.mock.calls[0]?.[1]).toMatchObject(choices);
  });

  test("a schedule that the device cannot run is ignored", async () => {
    const { device, counts } = await opened();
    Object.defineProperty(device.gpu, "features", { value: new Set() });
    await createTuner(device, memory({ [key]: "subgroups" }), PATIENT).choose(large);
    expect(counts.runs).toBeGreaterThan(0);
  });

  const thrown = () => {
    throw new Error("denied");
  };
  const never = () => new Promise<never>(() => {});
  const refused = () => Promise.reject(new Error("denied"));
  test.each([
    ["throws", thrown],
    ["rejects", refused],
    ["hangs", never],
  ])("one that %s only costs the measurements", async (_, call) => {
    const { device, counts } = await opened();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const began = performance.now();
    const tuner = createTuner(device, { load: call, save: call }, PATIENT);
    const choices = await tuner.choose(large);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(candidates(device, large.nodes[0]!)).toContain(choices[key]);
    expect(counts.runs).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("measuring", () => {
  test("happens once per device", async () => {
    const { device, counts } = await opened();
    const choices = await createTuner(device, undefined, PATIENT).choose(large);
    const { runs } = counts;
    expect(runs).toBeGreaterThan(0);
    expect(await createTuner(device, memory(), PATIENT).choose(large)).toEqual(choices);
    expect(counts.runs).toBe(runs);
  });

  test("leaves no buffer and no query set behind", async () => {
    const { device, counts } = await opened();
    expect(device.gpu.features.has("timestamp-query")).toBe(true);
    const before = device.allocated;
    const made = vi.spyOn(device.gpu, "createQuerySet");
    await withErrorScopes(device.gpu, () => createTuner(device, false).choose(large));
    expect(made).not.toHaveBeenCalled();
    await withErrorScopes(device.gpu, () => createTuner(device, undefined, PATIENT).choose(large));
    expect(made).toHaveBeenCalledTimes(1);
    expect(counts.queries).toBe(0);
    expect(device.allocated).toEqual(before);
  });

  test("is separate for f16 and f32", async () => {
    const { device, counts } = await opened();
    expect(device.gpu.features.has("shader-f16")).toBe(true);
    const store = memory();
    const tuner = createTuner(device, store, PATIENT);
    await withErrorScopes(device.gpu, () => tuner.choose(large, {}, true));
    const { runs } = counts;
    expect(runs).toBeGreaterThan(0);
    await tuner.choose(large);
    expect(counts.runs).toBeGreaterThan(runs);
    expect(Object.keys(store.save.mock.calls[1]![1])).toEqual([`f16 ${key}`, key]);
  });

  test("is skipped with false: uses only the table, whatever is remembered", async () => {
    const { device, counts } = await opened();
    const store = memory({ [key]: "direct" });
    await createTuner(device, store, PATIENT).choose(large);
    const usual = usualSchedule(device.software, runnable(device), large.nodes[0]!);
    expect(usual).not.toBe("direct");
    expect(await createTuner(device, false).choose(large)).toEqual({ [key]: usual });
    expect([counts.runs, counts.pipelines]).toEqual([0, 0]);
  });

  test("is skipped without time, and for products that are small in absolute or relative terms", async () => {
    const { device, counts } = await opened();
    const store = memory();
    await createTuner(device, store, 0).choose(graphOf([64, 512, 512]));
    await createTuner(device, store, PATIENT).choose(graphOf([128, 128, 128]));
    expect([counts.runs, store.save.mock.calls.length]).toEqual([0, 0]);
    const mixed = graphOf([1024, 1024, 1024], [128, 256, 256]);
    await createTuner(device, store, PATIENT).choose(mixed);
    expect(Object.keys(store.save.mock.calls[0]![1])).toEqual([shapeClass(mixed.nodes[0]!)]);
  });

  test("skips a schedule that does not compile", async () => {
    const { device } = await opened();
    const pipeline = device.pipeline.bind(device);
    device.pipeline = (shader, ...rest) =>
      shader.name.includes("tiled") ? Promise.reject(new Error("no")) : pipeline(shader, ...rest);
    const choices = await createTuner(device, undefined, PATIENT).choose(large);
    expect(choices[key]).not.toBe("tiled");
  });

  test("fixed choices override the store and remembered ones, if the device can run them", async () => {
    const { device, counts } = await opened();
    const tuner = createTuner(device, memory({ [key]: "direct" }), PATIENT);
    await tuner.choose(large);
    expect(await tuner.choose(large, { [key]: "tiled" })).toEqual({ [key]: "tiled" });
    expect(counts.runs).toBe(0);
    Object.defineProperty(device.gpu, "features", { value: new Set() });
    const without = createTuner(device, memory({ [key]: "direct" }), PATIENT);
    expect(await without.choose(large, { [key]: "subgroups" })).toEqual({ [key]: "direct" });
  });
});
