import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { batchNorm, batchNormInference, layoutOf, updateRunning } from "../../src/ops/batch_norm.js";

import { slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { affineTensors, backwardNodes, chain, inputTensor, normValues } from "../support/norms.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });
const MOMENTUM = 0.9;
const EPSILON = 1e-3;

function tensors(shape: readonly number[]) {
  const channels = shape.slice(-1);
  return {
    ...affineTensors(shape),
    runningMean: tensor("running_mean", "state", channels),
    runningVariance: tensor("running_variance", "state", channels),
  };
}

/** All nodes of a normalization of an x made by `from`: forward, backward, and the running statistics. */
function nodes(shape: readonly number[], activation: Activation = "none", from: Activation = "none"): Node[] {
  const forward = batchNorm("y", inputTensor(shape, from), tensors(shape), { epsilon: EPSILON }, activation);
  const health = tensor("health", "state", [2]);
  const update = updateRunning(forward.at(-1)!, tensors(shape), { momentum: MOMENTUM }, health);
  return [...forward, ...backwardNodes(forward), update];
}

interface Variant {
  readonly activation?: Activation;
  readonly from?: Activation;
  readonly level?: number;
}

function cases(shape: readonly number[], variant: Variant = {}, ops = /./): OpCase[] {
  const { activation = "none", from = "none", level = 0 } = variant;
  const shown = [shape.join("x"), ...Object.entries(variant).map(([key, value]) => `${key}=${value}`)].join(" ");
  return nodes(shape, activation, from)
    .filter(({ op }) => ops.test(op))
    .map((node) => ({
      name: `${node.op} ${shown}`,
      build: (random) => ({ node, values: normValues(node, random, from, level) }),
    }));
}

/** One row, a few, and several parts; flat or images. */
const shapes = [1, 3, 4, 5, 17, 64].flatMap((C) => [
  [1, 1, 1, C],
  [1, C],
  [7, C],
  [4, 5, 5, C],
  [5, 20, 20, C],
]);

describe("every size", () => {
  testOps(
    device,
    [...shapes, ...randomShapes([9, 20, 20, 40], 4)].flatMap((shape) => cases(shape)),
  );

  it("has one or more parts, none of them empty", () => {
    const counts = shapes.map((shape) => layoutOf(tensor("x", "input", shape)));
    expect(new Set(counts.map(({ rows }) => rows))).toEqual(new Set([1, 7, 100, 2000]));
    expect(new Set(counts.map(({ parts }) => parts))).toEqual(new Set([1, 2, 8, 32]));
    for (const { rows, parts } of counts) expect(parts).toBeLessThanOrEqual(rows);
  });
});

describe("every activation", () => {
  testOps(
    device,
    activations.flatMap((activation) => [
      ...cases([30, 5], { activation }, /batch_norm$/),
      ...cases([30, 5], { from: activation }, /_grad$/),
    ]),
  );

  it("keeps the value before it if the slope needs that", () => {
    for (const activation of activations) {
      expect("pre" in nodes([3, 5], activation)[2]!.outputs).toBe(slopeNeedsInput(activation));
    }
  });
});

describe("a mean a thousand deviations from zero", () => {
  testOps(device, cases([4, 20, 20, 5], { level: 1000 }, /_moments$|batch_norm$|_sums$|_grad$/));

  it.each([[[4, 20, 20, 5]], [[1, 1, 1, 3]], [[100, 64]]])(
    "costs no precision from moments to gradients: %j",
    async (shape) => {
      await chain(device, nodes(shape), `thousand ${shape.join()}`, ["y", "dx", "dgamma", "dbeta", "y.variance"]);
    },
  );
});

describe("the running statistics", () => {
  const shape = [40, 6];
  const update = nodes(shape).at(-1)!;
  const step = async (values: Record<string, Float64Array>) => {
    const { outputs, faults } = await runNode(device, { node: update, values, step: defaultStep });
    expect(faults).toEqual([]);
    return outputs;
  };
  const changed = (after: Record<string, Float64Array>, before: Record<string, Float64Array>) =>
    ["running_mean", "running_variance"].map((key) => [...after[key]!].map((value, c) => value !== before[key]![c]!));

  it("decay by the momentum, step by step", async () => {
    const random = new RandomValues("running");
    let running: Record<"running_mean" | "running_variance", Float64Array> = {
      running_mean: new Float64Array(6),
      running_variance: new Float64Array(6).fill(1),
    };
    const [means, variances] = [running.running_mean.slice(), running.running_variance.slice()];
    for (let i = 0; i < 5; i++) {
      const { mean, variance, health } = normValues(update, random, "none", i);
      const made = await step({ mean: mean!, variance: variance!, health: health!, ...running });
      running = { running_mean: made.running_mean!, running_variance: made.running_variance! };
      for (let c = 0; c < 6; c++) {
        means[c] = MOMENTUM * means[c]! + (1 - MOMENTUM) * mean![c]!;
        variances[c] = MOMENTUM * variances[c]! + (1 - MOMENTUM) * variance![c]!;
        expect(Math.abs(running.running_mean[c]! - means[c]!)).toBeLessThan(2e-6);
        expect(Math.abs(running.running_variance[c]! - variances[c]!)).toBeLessThan(2e-6);
      }
    }
    expect(Math.max(...means)).toBeGreaterThan(0.5);
  });

  it.each([NaN, Infinity])("ignore only channels whose variance is %s", async (bad) => {
    const before = normValues(update, new RandomValues("bad"), "none");
    const variance = before.variance!.slice();
    variance[2] = bad;
    const only = [true, true, false, true, true, true];
    expect(changed(await step({ ...before, variance }), before)).toEqual([only, only]);
  });

  it.each([
    ["a halted run", [1, 0], false],
    ["a step that is skipped", [0, defaultStep.step + 1], false],
    ["a step after one that was skipped", [0, defaultStep.step], true],
  ])("of %s", async (_, health, counts) => {
    const before = normValues(update, new RandomValues("health"), "none");
    const all = Array<boolean>(6).fill(counts);
    expect(changed(await step({ ...before, health: Float64Array.from(health) }), before)).toEqual([all, all]);
  });

  it("are used for inference", () => {
    const node = batchNormInference("y", inputTensor(shape, "none"), tensors(shape), { epsilon: EPSILON }, "silu");
    expect(node.op).toBe("batch_norm");
    expect([node.inputs.mean!.name, node.inputs.variance!.name]).toEqual(["running_mean", "running_variance"]);
    expect(Object.keys(node.outputs)).toEqual(["y", "pre"]);
  });

  testOps(
    device,
    [
      [7, 5],
      [2, 9, 8, 17],
    ].map((image): OpCase => {
      const node = batchNormInference("y", inputTensor(image, "none"), tensors(image), { epsilon: EPSILON }, "relu");
      return {
        name: `inference ${image.join("x")}`,
        build: (random) => ({ node, values: normValues(node, random, "none") }),
      };
    }),
  );
});
