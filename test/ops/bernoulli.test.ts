import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { bernoulli, bernoulliSample } from "../../src/ops/bernoulli.js";
import { size, tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { minimised } from "../support/losses.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes, imageShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

function node(shape: readonly number[], gradients: boolean) {
  const term = bernoulli(tensor("logits", "activation", shape), tensor("x", "input", shape));
  return gradients ? minimised(term, "weight") : term;
}

interface Variant {
  readonly name?: string;
  readonly gradients?: boolean;
  readonly rows?: number;
  readonly weight?: number;
  readonly logits?: (count: number, random: RandomValues) => Float64Array;
  readonly x?: (count: number, random: RandomValues) => Float64Array;
}

function termCase(shape: readonly number[], variant: Variant = {}): OpCase {
  const [B = 1, ...rest] = shape;
  const D = size(rest);
  const { name = "", gradients = true, rows = B, weight = 1 } = variant;
  const { logits = (n, random) => random.normal(n, 3), x = (n, random) => random.uniform(n) } = variant;
  return {
    name: `bernoulli ${shape.join("x")}${name}`,
    build: (random) => ({
      node: node(shape, gradients),
      values: { logits: logits(B * D, random), x: x(B * D, random) },
      step: { rows, knobs: { weight } },
    }),
  };
}

const extremes = [100, -100, 0, -0, 1e-4, -1e-4, 7, -7, 15, -15, 88, -88, 1e4, -1e4].map(Math.fround);

describe("the term and its gradient", () => {
  testOps(device, [
    ...edgeShapes(2).map((shape) => termCase(shape)),
    ...randomShapes([100, 900], 6).map((shape) => termCase(shape)),
    termCase([5, 130], { name: ", without gradient", gradients: false }),
    termCase([5, 130], { name: ", weight 0.3", weight: Math.fround(0.3) }),
    ...imageShapes.map((shape) => termCase(shape)),
    termCase([9, 5, 7, 1], { name: ", 4 rows count", rows: 4 }),
    termCase([33, 100], { name: ", 20 rows count", rows: 20 }),
    termCase([33, 100], { name: ", 1 row counts", rows: 1 }),
    ...[0, 0.5, 1].map((target) =>
      termCase([3, extremes.length], {
        name: `, extreme logits, x ${target}`,
        logits: (n) => Float64Array.from({ length: n }, (_, i) => extremes[i % extremes.length]!),
        x: (n) => new Float64Array(n).fill(target),
      }),
    ),
    termCase([6, 65], {
      name: ", bytes as targets",
      x: (n, random) => random.integers(n, 0, 256).map((b) => Math.fround(b / 255)),
    }),
  ]);
});

describe("several draws of each example", () => {
  const of = (shape: readonly number[], copies: number): OpCase => ({
    name: `bernoulli ${shape.join("x")}, ${copies} draws`,
    build: (random) => {
      const [B = 1, ...rest] = shape;
      const drawn = [B * copies, ...rest];
      const term = bernoulli(tensor("logits", "activation", drawn), tensor("x", "input", shape));
      return {
        node: minimised(term, "weight"),
        values: { logits: random.normal(size(drawn), 3), x: random.uniform(size(shape)) },
        step: { rows: Math.ceil(B / 2), knobs: { weight: 0.375 } },
      };
    },
  });
  testOps(device, [of([7, 70], 3), of([3, 5, 7, 1], 2), of([1, 784], 50)]);
});

it.each([NaN, Infinity])("%s among the logits reaches its row's sum and no other", async (bad) => {
  const [B, D] = [3, 70];
  const logits = new Float64Array(B * D);
  logits[D + 66] = bad;
  const values = { logits, x: new Float64Array(B * D).fill(0.5) };
  const { outputs } = await runNode(device, {
    node: node([B, D], true),
    values,
    step: { ...defaultStep, rows: B, knobs: { weight: 1 } },
  });
  expect([...outputs.reconstruction!].map(Number.isFinite)).toEqual([true, true, true, false, true, true]);
});

describe("a draw", () => {
  testOps(
    device,
    [...edgeShapes(2), [37, 200]].map(([B = 1, D = 1]): OpCase => ({
      name: `bernoulli_sample ${B}x${D}`,
      build: (random) => ({
        node: bernoulliSample(tensor("logits", "activation", [B, D])),
        // Far from where f32's rounding of a probability could decide.
        values: { logits: random.integers(B * D, -3, 4) },
        step: { first_row: 11, sample: 3 },
      }),
    })),
  );
});
