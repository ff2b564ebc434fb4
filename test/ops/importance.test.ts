import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { importance } from "../../src/ops/importance.js";
import { opNamed } from "../../src/ops/index.js";
import { tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { defaultStep, runNode } from "../support/run_node.js";

const device = await Device.open({ device: await testDevice() });

interface Sizes {
  readonly examples: number;
  readonly copies: number;
  /** Parts of the reconstruction and of the ratio. */
  readonly parts: readonly [number, number];
  readonly prior?: boolean;
  readonly rows?: number;
  readonly draws?: number;
  /** How far apart the losses lie. Default 1. */
  readonly spread?: number;
}

function nodeOf({ examples, copies, parts: [R, Z], prior, draws }: Sizes) {
  const rows = examples * copies;
  const losses = [
    { ...tensor("reconstruction", "input", [rows, R]), storage: [rows, R] },
    tensor("ratio", "input", [rows, Z]),
    ...(prior ? [{ ...tensor("prior", "input", [rows, 1]), storage: [rows, 1] }] : []),
  ];
  return importance(losses, examples, draws ? "draws" : undefined);
}

/** What the kernel reads lies in rings, whose row for this step is the only one here. */
const step = (sizes: Sizes) => ({
  rows: sizes.rows ?? sizes.examples,
  slot: 0,
  ...(sizes.draws ? { knobs: { draws: sizes.draws } } : {}),
});

const of = (sizes: Sizes): OpCase => ({
  name: `importance ${JSON.stringify(sizes)}`,
  build: (random) => {
    const { examples, copies, parts, prior, spread = 1 } = sizes;
    const rows = examples * copies;
    return {
      node: nodeOf(sizes),
      values: {
        // Some hundreds, as of a picture's pixels; what decides is their difference.
        reconstruction: random.normal(rows * parts[0], spread).map((value) => Math.fround(value + 100 / parts[0])),
        ratio: random.normal(rows * parts[1], spread),
        ...(prior ? { prior: random.normal(rows, spread) } : {}),
      },
      step: step(sizes),
    };
  },
});

testOps(device, [
  of({ examples: 1, copies: 1, parts: [1, 1] }),
  of({ examples: 7, copies: 5, parts: [13, 20] }),
  of({ examples: 65, copies: 3, parts: [3, 7] }),
  of({ examples: 9, copies: 5, parts: [2, 5], prior: true }),
  of({ examples: 9, copies: 5, parts: [2, 5], rows: 4 }),
  of({ examples: 9, copies: 8, parts: [2, 5], draws: 3 }),
  of({ examples: 9, copies: 8, parts: [2, 5], draws: 1, prior: true }),
  of({ examples: 4, copies: 64, parts: [2, 5] }),
]);

const run = async (reconstruction: number[], copies: number) => {
  const sizes: Sizes = { examples: reconstruction.length / copies, copies, parts: [1, 4] };
  const values = {
    reconstruction: Float64Array.from(reconstruction),
    ratio: new Float64Array(4 * reconstruction.length),
  };
  const { outputs } = await runNode(device, { node: nodeOf(sizes), values, step: { ...defaultStep, ...step(sizes) } });
  return outputs;
};

describe("the bound", () => {
  it("does not overflow, however large or far apart the losses are", async () => {
    const { bound, weights } = await run([5000, 5000, 1e5, 200, -900, -900], 2);
    const half = Math.log(2);
    expect([...bound!].map((value) => Math.abs(value))).toEqual([5000, 200 + half, 900].map(Math.fround));
    expect([...weights!]).toEqual([1, 1, 0, 2, 1, 1]);
  });

  it.each([NaN, Infinity, -Infinity])("%s among an example's losses reaches its bound and no other", async (bad) => {
    for (const at of [2, 3]) {
      const given = [1, 2, 3, 4, 5, 6];
      given[at] = bad;
      const { bound } = await run(given, 2);
      // A draw of infinite loss alone weighs nothing.
      const expected = [true, bad === Infinity && at === 3, true];
      if (bad === Infinity && at === 2) expected[1] = Number.isFinite(bound![1]!);
      expect([...bound!].map(Number.isFinite)).toEqual(expected);
    }
  });
});

it("its losses' gradients have its own weight, times the draw's", () => {
  const node = nodeOf({ examples: 3, copies: 2, parts: [2, 5], prior: true });
  const { nodes, of: weights } = opNamed(node.op).gradient!(node, { bound: { knob: "one" } }, () => true);
  expect(nodes).toEqual([]);
  const expected = { knob: "one", over: node.outputs.weights };
  expect(weights).toEqual({ reconstruction: expected, ratio: expected, prior: expected });
});
