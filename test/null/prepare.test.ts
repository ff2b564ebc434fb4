// Code that only some models need is loaded on demand; before that, only dense models can be created.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { models } from "../../src/presets.js";
import type { ModelSpec } from "../../src/spec.js";

/** The library in the state of a page that has loaded nothing on demand yet. */
async function fresh() {
  vi.resetModules();
  const [{ resolved }, { defineModel }, { resolveSpec }, vae, { opNames }] = await Promise.all([
    import("../../src/prepare.js"),
    import("../../src/parameters.js"),
    import("../../src/spec.js"),
    import("../../src/vae.js"),
    import("../../src/ops/index.js"),
  ]);
  const modelOf = (spec: ModelSpec) => defineModel(resolveSpec(spec));
  return { prepare: (spec: ModelSpec) => resolved(spec), modelOf, opNames, ...vae };
}

const asked = vi.fn();
/** The outcome of importing the code on demand. */
let file: { failure?: Error; release?: string };

beforeEach(() => {
  file = {};
  asked.mockReset();
  vi.doMock("../../src/toolbox.js", async (original) => {
    asked();
    if (file.failure) throw file.failure;
    return { ...(await original<object>()), ...(file.release ? { release: file.release } : {}) };
  });
});
afterEach(() => void vi.doUnmock("../../src/toolbox.js"));

const points: ModelSpec = { ...models.mlp([4], 2), likelihood: { type: "gaussian", variance: 1 } };
const residual: ModelSpec = {
  ...models.mlp([4], 2),
  encoder: [{ type: "residual", layers: [{ type: "dense", units: 4 }] }],
};

test("a dense Bernoulli model needs nothing, even with free flatten and reshape layers", async () => {
  const { prepare, modelOf, decodingGraph, opNames } = await fresh();
  const { encoder, decoder, ...rest } = models.mlp([2, 2, 1], 2);
  const spec: ModelSpec = {
    ...rest,
    encoder: [{ type: "flatten" }, ...encoder],
    decoder: [...decoder, { type: "reshape", shape: [2, 2, 1] }],
  };
  await prepare(spec);
  expect(decodingGraph(modelOf(spec), 1).nodes.length).toBeGreaterThan(1);
  expect(asked).not.toHaveBeenCalled();
  expect(opNames()).not.toContain("conv2d");
});

test.each([
  ["convolutions", models.conv([4, 4, 1], 2), "conv2d_transpose"],
  ["a Gaussian likelihood", points, "gaussian"],
  ["a residual", residual, "add"],
])("%s: loaded once, and then the graph can be built", async (_, spec, op) => {
  const { prepare, modelOf, samplingGraph, encodingGraph } = await fresh();
  const graphs = () =>
    [samplingGraph(modelOf(spec), 1, true), encodingGraph(modelOf(spec), 1)].flatMap(({ nodes }) => nodes);
  expect(graphs).toThrow();
  await Promise.all([prepare(spec), prepare(spec)]);
  await prepare(spec);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(graphs().some((node) => node.op.startsWith(op))).toBe(true);
});

test("a failed load is reported, and a later call tries again", async () => {
  const { prepare, opNames } = await fresh();
  file = { failure: new TypeError("no network") };
  const failed = await prepare(points).catch((error: unknown) => error);
  expect(failed).toMatchObject({ name: "WebvaeError", code: "DOWNLOAD_FAILED" });
  expect((failed as Error).message).toMatch(/^the code that this model needs could not be loaded .*layers\.js: /);
  expect(opNames()).not.toContain("gaussian");
  file = {};
  await prepare(points);
  expect(opNames()).toContain("gaussian");
});

test("code from another release is rejected before any of it is used", async () => {
  const { prepare, opNames } = await fresh();
  file = { release: "deadbeef" };
  await expect(prepare(points)).rejects.toThrow(/layers\.js: .*belongs to another release/);
  expect(opNames()).not.toContain("gaussian");
});
