import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { laplace, laplaceSample } from "../../src/ops/laplace.js";
import { size, tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { gradientBy, minimised, weightsTensor } from "../support/losses.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes, imageShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

const term = (shape: readonly number[], learned = true, copies = 1) =>
  laplace(
    tensor("mean", "activation", [shape[0]! * copies, ...shape.slice(1)]),
    tensor("x", "input", shape),
    tensor("log_scale", learned ? "param" : "state", [1]),
  );

interface Variant {
  readonly learned?: boolean;
  readonly rows?: number;
  readonly logScale?: number;
  /** Weights of a tensor, so many. */
  readonly over?: number;
  /** Draws of each example. */
  readonly copies?: number;
}

function termCase(shape: readonly number[], variant: Variant = {}): OpCase {
  const [B = 1] = shape;
  const { learned = true, rows = B, logScale = -0.7, over, copies = 1 } = variant;
  return {
    name: ["laplace", shape.join("x"), ...Object.entries(variant).map(([key, value]) => `${key}=${value}`)].join(" "),
    build: (random) => {
      const made = term(shape, learned, copies);
      const mean = random.normal(copies * size(shape));
      // At a small scale the mean has to be near, or all that is tested is a huge distance.
      const noise = random.normal(size(shape), Math.exp(Math.max(logScale, -6)));
      const values = {
        mean,
        saved: mean,
        x: noise.map((value, i) => Math.fround(value + mean[i]!)),
        log_scale: Float64Array.of(Math.fround(logScale)),
        ...(over ? { over: random.uniform(over) } : {}),
      };
      const node = over ? gradientBy(made, { knob: "weight", over: weightsTensor(over) }) : minimised(made, "weight");
      return { node, values, step: { rows, knobs: { weight: 0.375 } } };
    },
  };
}

describe("the term and its gradients", () => {
  testOps(device, [
    ...edgeShapes(2).map((shape) => termCase(shape)),
    ...imageShapes.map((shape) => termCase(shape, { learned: false })),
    ...randomShapes([100, 900], 4).map((shape) => termCase(shape)),
    termCase([33, 70], { rows: 20 }),
    // Far above the soft floor of -6, at it, and below.
    ...[2, -6, -30].map((logScale) => termCase([9, 70], { logScale })),
    termCase([33, 70], { over: 33 }),
    termCase([33, 70], { over: 1, rows: 20 }),
    termCase([5, 130], { over: 5, learned: false }),
    termCase([7, 70], { copies: 3, rows: 4 }),
    termCase([7, 70], { copies: 3, over: 21 }),
  ]);
});

it("has no slope where the mean is met exactly", async () => {
  const values = { mean: Float64Array.of(0.5, 1, -1), x: Float64Array.of(0.5, 0, 0), log_scale: Float64Array.of(0) };
  const { outputs } = await runNode(device, {
    node: minimised(term([1, 3], false)),
    values: { ...values, saved: values.mean },
    step: { ...defaultStep, rows: 1 },
  });
  expect([...outputs.dmean!]).toEqual([0, 1, -1]);
});

it("a NaN in the mean reaches its row's sum and no other", async () => {
  const [B, D] = [3, 70];
  const mean = new Float64Array(B * D);
  mean[D + 66] = NaN;
  const values = { mean, saved: mean, x: new Float64Array(B * D), log_scale: Float64Array.of(0) };
  const { outputs } = await runNode(device, {
    node: minimised(term([B, D])),
    values,
    step: { ...defaultStep, rows: B },
  });
  expect([...outputs.reconstruction!].map(Number.isFinite)).toEqual([true, true, true, false, true, true]);
});

describe("a draw", () => {
  testOps(
    device,
    [...edgeShapes(2), [37, 200]].map(([B = 1, D = 1]): OpCase => ({
      name: `laplace_sample ${B}x${D}`,
      build: (random) => ({
        node: laplaceSample(tensor("mean", "activation", [B, D]), tensor("log_scale", "param", [1])),
        values: { mean: random.normal(B * D), log_scale: Float64Array.of(Math.fround(-0.7)) },
        step: { first_row: 11, sample: 3 },
      }),
    })),
  );

  it("has the distribution's moments: 0, 2 b^2, 0 and 24 b^4", async () => {
    const [B, D, b] = [500, 80, 1];
    const node = laplaceSample(tensor("mean", "activation", [B, D]), tensor("log_scale", "state", [1]));
    const values = { mean: new Float64Array(B * D), log_scale: Float64Array.of(Math.log(b)) };
    const { y } = (await runNode(device, { node, values, step: { ...defaultStep, rows: B } })).outputs;
    const moment = (k: number) => y!.reduce((sum, e) => sum + e ** k, 0) / y!.length;
    // Four standard errors: e^k has the variance (2 k)! - (k!)^2 for an even k, (2 k)! for an odd one.
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    for (const k of [1, 2, 3, 4]) {
      const expected = k % 2 === 0 ? factorial(k) : 0;
      const error = Math.sqrt((factorial(2 * k) - expected ** 2) / y!.length);
      expect(Math.abs(moment(k) - expected), `moment ${k}`).toBeLessThan(4 * error);
    }
  });
});
