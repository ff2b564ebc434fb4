// No shader is chosen that enables a feature that the device lacks, whether by the table, a store, a saved run or a
// test.
import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { compile } from "../../src/executable.js";
import type { Graph, Node } from "../../src/graph.js";
import { conv2d, dense, reshape, convTranspose2d, type ModelSpec } from "../../src/index.js";
import { dataTensor } from "../../src/ops/gather.js";
import { opNamed, opNames, schedulesOf } from "../../src/ops/index.js";
import { schedules, type Schedule } from "../../src/ops/op.js";
import { defineModel, flats } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { resolveSpec } from "../../src/spec.js";
import { alone, runnable, scheduleOf, shapeClass } from "../../src/products.js";
import { createTuner } from "../../src/tuner.js";
import { trainingGraph } from "../../src/vae.js";
import { fault } from "../support/fault.js";
import { open } from "../support/gpu.js";
import { forced } from "../support/forced.js";

const kernel = { stride: 2 };
const spec: ModelSpec = {
  input: [16, 16, 3],
  encoder: [conv2d(32, 4, kernel), conv2d(32, 3), dense(64)],
  latent: 4,
  decoder: [dense(8 * 8 * 32), reshape(8, 8, 32), convTranspose2d(32, 3), convTranspose2d(3, 4, kernel)],
  likelihood: "bernoulli",
};
const model = defineModel(resolveSpec(spec));
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 0 };
const graph: Graph = trainingGraph(model, dataTensor("bytes", 64, 768), { batch: 32 }, adam);
const products = graph.nodes.filter(({ op }) => opNamed(op).schedules);

/** A device that claims to have only these features, on an adapter of either kind. */
async function having(features: readonly string[], software: boolean): Promise<Device> {
  const gpu = await open({ backend: "null" });
  Object.defineProperty(gpu, "features", { value: new Set(features) });
  if (software) Object.defineProperty(gpu, "adapterInfo", { value: { vendor: "google", architecture: "swiftshader" } });
  return Device.open({ device: gpu });
}

const kinds = [[], ["subgroups"], ["shader-f16"], ["subgroups", "shader-f16"]].flatMap((features) =>
  [true, false].map((software) => [features.join(" and ") || "no feature", software, features] as const),
);

describe.each(kinds)("with %s, in software: %s", (_, software, features) => {
  const needed = (schedule: (node: Node) => Schedule) => {
    const { shaders } = plan(graph, { flats: flats(model), schedule });
    return [...new Set([...shaders.values()].flatMap((shader) => shader.features))];
  };
  const able = features.includes("subgroups");

  it("the table chooses among the available features", async () => {
    const device = await having(features, software);
    const choices = await createTuner(device, false).choose(graph);
    expect(features).toEqual(expect.arrayContaining(needed(scheduleOf(choices))));
    if (software) expect(Object.values(choices).includes("winograd")).toBe(able);
  });

  it.each(schedules)("%s is taken from a store, a saved run or a test if possible", async (schedule) => {
    const device = await having(features, software);
    const asked = Object.fromEntries(products.map((node) => [shapeClass(node), schedule]));
    const store = { load: () => Promise.resolve(asked), save: () => Promise.resolve() };
    const runs = !["subgroups", "winograd"].includes(schedule) || able;
    expect(runnable(device).includes(schedule)).toBe(runs);
    for (const choices of [
      await createTuner(device, store, 0).choose(graph),
      await createTuner(device, false).choose(graph, asked),
    ]) {
      expect(features).toEqual(expect.arrayContaining(needed(scheduleOf(choices))));
      for (const node of products) {
        if (runs && schedulesOf(node).includes(schedule)) expect(choices[shapeClass(node)]).toBe(schedule);
      }
    }
    expect(features).toEqual(expect.arrayContaining(needed(forced(device, schedule))));
  });

  it("what it cannot run is rejected with the feature's name, not by a compiler", async () => {
    const device = await having(features, software);
    for (const node of products) {
      for (const schedule of schedulesOf(node)) {
        if (runnable(device, node).includes(schedule)) continue;
        const refused = compile(device, alone(node, schedule));
        await expect(refused).rejects.toThrow(fault("UNSUPPORTED", /\.subgroups needs subgroups, which .+ lacks/));
      }
    }
    if (!features.includes("shader-f16")) {
      const half = compile(device, alone(products[0]!, "direct", true));
      await expect(half).rejects.toThrow(fault("UNSUPPORTED", /\.f16 needs shader-f16, which/));
    }
  });
});

it("an op's schedule names the shader that requires the most features", () => {
  expect(opNames().filter((op) => opNamed(op).schedules).length).toBeGreaterThan(8);
  for (const node of products) {
    for (const schedule of schedulesOf(node)) {
      const { shaders } = alone(node, schedule);
      const all = new Set([...shaders.values()].flatMap(({ features }) => features));
      expect(new Set(opNamed(node.op).schedules![schedule]!.features)).toEqual(all);
    }
  }
});
