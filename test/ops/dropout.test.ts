import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { dropout } from "../../src/ops/dropout.js";
import { opNamed } from "../../src/ops/index.js";

import { size, slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { defaultStep, runNode, type NodeRun } from "../support/run_node.js";
import { edgeShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });
const shapes = [...edgeShapes(2), ...randomShapes([200, 90], 4), [2, 5, 3, 6], [1, 4, 4, 16], [3, 1, 7, 1]];

function forward(shape: readonly number[], rate: number, activation: Activation = "none", layer = 2): Node {
  const pre = slopeNeedsInput(activation) ? { pre: tensor("x.pre", "activation", shape) } : {};
  return dropout("y", tensor("x", "activation", shape, { activation, ...pre }), rate, layer);
}

function backward(shape: readonly number[], rate: number, activation: Activation = "none", layer = 2): Node {
  const dy = tensor("dy", "activation", shape);
  const node = forward(shape, rate, activation, layer);
  return opNamed("dropout").gradient!(node, { y: dy }, () => true).nodes[0]!;
}

const forwardCase = (shape: readonly number[], rate: number): OpCase => ({
  name: `dropout ${shape.join("x")} rate ${rate}`,
  build: (random) => ({ node: forward(shape, rate), values: { x: random.normal(size(shape)) } }),
});

const gradientCase = (shape: readonly number[], rate: number, activation: Activation): OpCase => ({
  name: `dropout_grad ${shape.join("x")} rate ${rate} ${activation}`,
  build: (random) => ({
    node: backward(shape, rate, activation),
    values: {
      dy: random.normal(size(shape)),
      saved: random.normal(size(shape)).map((a) => Math.fround(saved(activation, a))),
    },
    step: { step: 2 ** 31 + 5, seed_low: 0xffffffff, seed_high: 17 },
  }),
});

describe("every size", () => {
  testOps(device, [
    ...shapes.map((shape) => forwardCase(shape, 0.3)),
    ...shapes.map((shape) => gradientCase(shape, 0.3, "relu")),
  ]);
});

describe("every rate and activation", () => {
  testOps(device, [
    ...[0, 2 ** -32, 0.1, 0.5, 0.99, 1 - 2 ** -20].map((rate) => forwardCase([33, 37], rate)),
    ...activations.map((activation) => gradientCase([33, 37], 0.25, activation)),
  ]);
});

const [B, C] = [500, 20];
const ones = new Float64Array(B * C).fill(1);
/** The mask divided by 1 - rate, obtained from a forward pass on ones. */
async function drawn(rate: number, layer = 2, changes: Partial<NodeRun> & { step?: NodeRun["step"] } = {}) {
  const node = forward([B, C], rate, "none", layer);
  const { outputs, faults } = await runNode(device, { node, values: { x: ones }, step: defaultStep, ...changes });
  expect(faults).toEqual([]);
  return outputs.y!;
}

describe("the mask", () => {
  it.each([0.1, 0.5, 0.8])("drops at a rate of %s, and keeps the mean", async (rate) => {
    const mask = await drawn(rate);
    const kept = 1 / (1 - Math.fround(rate));
    expect([...new Set(mask.map((value) => Math.round(value * 1e5) / 1e5))].sort()).toEqual(
      [0, Math.round(kept * 1e5) / 1e5].sort(),
    );
    // Four standard errors of a fraction, and of the product of neighbours, which are independent.
    const n = mask.length;
    const share = mask.filter((value) => value === 0).length / n;
    expect(Math.abs(share - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / n));
    for (const lag of [1, 2, 3, 4, C]) {
      let both = 0;
      for (let i = lag; i < n; i++) if (mask[i] === 0 && mask[i - lag] === 0) both++;
      const expected = rate ** 2;
      expect(Math.abs(both / (n - lag) - expected)).toBeLessThan(6 * Math.sqrt((expected * (1 - expected)) / n));
    }
  });

  it("is the same for any workgroup size, and in the gradient", async () => {
    const expected = await drawn(0.4);
    for (const WORKGROUP_SIZE of [1, 32, 256]) {
      const alter: NodeRun["alter"] = (dispatch) => ({
        ...dispatch,
        constants: { ...dispatch.constants, WORKGROUP_SIZE },
        workgroups: Math.ceil((B * C) / 4 / WORKGROUP_SIZE),
      });
      expect(await drawn(0.4, 2, { alter })).toEqual(expected);
    }
    const node = backward([B, C], 0.4);
    const values = { dy: ones, saved: ones };
    const { outputs } = await runNode(device, { node, values, step: defaultStep });
    expect(outputs.dx).toEqual(expected);
  });

  it("differs for another step, seed or layer, and from the step's other random numbers", async () => {
    const first = String(await drawn(0.5));
    const others = [{ step: 8 }, { seed_low: 1 }, { seed_high: 1 }];
    const seen = new Set([first, String(await drawn(0.5, 3))]);
    for (const change of others) seen.add(String(await drawn(0.5, 2, { step: { ...defaultStep, ...change } })));
    expect(seen.size).toBe(2 + others.length);
    const same = { ...defaultStep, stream: 2, sample: 3, first_row: 4, epoch: 9, slot: 0, rows: 9 };
    expect(String(await drawn(0.5, 2, { step: same }))).toBe(first);
  });

  it("does not hide NaNs", async () => {
    const node = forward([3, 8], 0.999);
    const values = { x: new Float64Array(24).fill(NaN) };
    const { outputs } = await runNode(device, { node, values, step: defaultStep });
    expect([...outputs.y!].every(Number.isNaN)).toBe(true);
  });
});
