import { afterEach, describe, expect, it, vi } from "vitest";
import { dataIds, loadData, type DataId } from "../../demo/data/load.js";
import { DataFault } from "../../demo/data/loaded.js";
import { validateDataset } from "../../src/data/dataset.js";
import type { MnistOptions } from "../../src/data/mnist.js";
import type { Dataset } from "../../src/index.js";
import { fromArray } from "../../src/datasets.js";

/** Replaces the download of MNIST's files, which are not available; by default they are requested as usual. */
const place: { mnist?: (options: MnistOptions) => Promise<Dataset> } = {};
vi.mock("../../src/datasets.js", async (original) => {
  const datasets = await original<typeof import("../../src/datasets.js")>();
  return { ...datasets, mnist: (options: MnistOptions) => (place.mnist ?? datasets.mnist)(options) };
});

afterEach(() => {
  vi.unstubAllGlobals();
  delete place.mnist;
});

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it loaded"),
    (error: unknown) => error,
  );

describe("the demo's data by name", () => {
  it.each([
    ["digits", "images", [28, 28, 1], 8000, 1000, 10],
    ["sprites", "images", [64, 64, 3], 4000, 500, 3],
    ["gaussians", "points", [2], 4000, 1000, 8],
  ] as const)("draws %s, with every class in both splits", async (id, kind, shape, train, test, classes) => {
    const told: [number, number | undefined][] = [];
    const loaded = await loadData(id, { onProgress: (done, total) => told.push([done, total]) });
    expect(loaded).toMatchObject({ kind, shape, train: { count: train, shape }, test: { count: test, shape } });
    expect(loaded.labelNames).toHaveLength(classes);
    expect(told).toEqual([0, train, train + test].map((done) => [done, train + test]));
    expect(loaded.notes.join(" ")).toContain(train.toLocaleString("en"));
    for (const set of [loaded.train, loaded.test]) {
      validateDataset(set);
      expect(new Set(set.labels)).toEqual(new Set(Array.from({ length: classes }, (_, label) => label)));
    }
    expect(loaded.test.values).not.toEqual(loaded.train.values.subarray(0, loaded.test.values.length));
  });

  it("generates the same examples for the same seed, and others for another", async () => {
    const [zero, again, one] = await Promise.all([0, 0, 1].map((seed) => loadData("gaussians", { seed })));
    expect(again!.train.values).toEqual(zero!.train.values);
    expect(one!.train.values).not.toEqual(zero!.train.values);
  });

  it("stops with the signal's reason, before and between the splits", async () => {
    const reason = new Error("enough");
    for (const id of ["digits", "mnist"] as const) {
      expect(await rejection(loadData(id, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    }
    const controller = new AbortController();
    const done: number[] = [];
    const onProgress = (count: number) => {
      done.push(count);
      if (count > 0) controller.abort(reason);
    };
    expect(await rejection(loadData("gaussians", { signal: controller.signal, onProgress }))).toBe(reason);
    expect(done).toEqual([0, 4000]);
  });

  it.each(["mnist", "fashion-mnist"] as const)("says why %s could not be downloaded, and what to do", async (id) => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const fault = (await rejection(loadData(id))) as DataFault;
    expect(fault).toBeInstanceOf(DataFault);
    expect(fault.title).toMatch(/MNIST could not be downloaded$/);
    expect(fault.message).toMatch(/https:\/\/\S+: no response \(Failed to fetch\)/);
    expect(fault.hints[0]).toMatch(/^Check the network/);
    expect(fault.hints.join(" ")).toContain("digits that this page generates itself");

    vi.stubGlobal("navigator", { onLine: false });
    const offline = (await rejection(loadData(id))) as DataFault;
    expect(offline.message).toMatch(/^This device is offline/);
    expect(offline.hints[0]).toMatch(/^Connect/);
  });

  it("does not train on anything but the published file", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(new Uint8Array(40_000))));
    const fault = (await rejection(loadData("mnist"))) as DataFault;
    expect(fault).toBeInstanceOf(DataFault);
    expect(fault.title).toBe("MNIST arrived damaged");
    expect(fault.message).toContain("28881 bytes expected");
  });

  it.each(["cats", "constructor", "toString"])("has no data set called %s", async (id) => {
    const fault = (await rejection(loadData(id as DataId))) as DataFault;
    expect(fault).toBeInstanceOf(DataFault);
    expect(fault.hints).toEqual([`Choose one of ${dataIds.join(", ")}.`]);
  });

  it("loads downloads, and reports progress", async () => {
    const sets = { train: [60, 7], test: [20, 5] } as const;
    place.mnist = ({ split, onProgress }) => {
      const [count, size] = sets[split];
      for (let done = 1; done <= size; done++) onProgress?.(done, size);
      const labels = Array.from({ length: count }, (_, i) => i % 10);
      return Promise.resolve(fromArray(new Uint8Array(count * 4), { shape: [2, 2, 1], labels, name: "mnist" }));
    };
    const told: [number, number | undefined, string][] = [];
    const { train, test, labelNames, name, kind } = await loadData("mnist", { onProgress: (...now) => told.push(now) });
    expect([name, kind, train.count, test.count, labelNames?.[7]]).toEqual(["MNIST", "images", 60, 20, "7"]);
    expect(told[0]).toEqual([0, undefined, "Looking for MNIST"]);
    expect(told.filter(([, total]) => total === 7).map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(told.at(-1)).toEqual([5, 5, "Downloading MNIST: test images"]);
  });
});
