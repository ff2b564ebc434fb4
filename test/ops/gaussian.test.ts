import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { gaussian, gaussianSample } from "../../src/ops/gaussian.js";

import { size, slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { gradientBy, minimised, weightsTensor } from "../support/losses.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes, imageShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

interface Variant {
  readonly learned?: boolean;
  readonly gradients?: boolean;
  readonly rows?: number;
  readonly activation?: Activation;
  readonly logSigma?: number;
  readonly weight?: number;
}

function node(shape: readonly number[], { learned = true, gradients = true, activation = "none" }: Variant) {
  const pre = slopeNeedsInput(activation) ? { pre: tensor("mean.pre", "activation", shape) } : {};
  const mean = tensor("mean", "activation", shape, activation === "none" ? {} : { activation, ...pre });
  const logSigma = tensor("log_sigma", learned ? "param" : "state", [1]);
  const term = gaussian(mean, tensor("x", "input", shape), logSigma);
  return gradients ? minimised(term, "weight") : term;
}

function termCase(shape: readonly number[], variant: Variant = {}): OpCase {
  const [B = 1] = shape;
  const { activation = "none", rows = B, logSigma = -0.7, weight = 1 } = variant;
  return {
    name: ["gaussian", shape.join("x"), ...Object.entries(variant).map(([key, value]) => `${key}=${value}`)].join(" "),
    build: (random) => {
      const a = random.normal(size(shape));
      const made = node(shape, variant);
      // With a small sigma the mean must be close, or the test would only see a huge square.
      const sigma = Math.exp(Math.max(logSigma, -6));
      const mean = a.map((value) => Math.fround(activate(activation, value)));
      const noise = random.normal(size(shape), sigma);
      const values = {
        mean,
        x: mean.map((value, i) => Math.fround(value + noise[i]!)),
        log_scale: Float64Array.of(Math.fround(logSigma)),
        saved: a.map((value) => Math.fround(saved(activation, value))),
      };
      return { node: made, values, step: { rows, knobs: { weight } } };
    },
  };
}

describe("the term and its gradients", () => {
  testOps(device, [
    ...edgeShapes(2).map((shape) => termCase(shape)),
    ...edgeShapes(2).map((shape) => termCase(shape, { learned: false })),
    ...imageShapes.map((shape) => termCase(shape)),
    ...randomShapes([100, 900], 5).map((shape) => termCase(shape)),
    ...activations.map((activation) => termCase([9, 70], { activation })),
    ...[true, false].map((learned) => termCase([9, 70], { learned, gradients: false })),
    termCase([9, 70], { weight: 0.375 }),
    ...[true, false].map((learned) => termCase([33, 70], { learned, rows: 20 })),
    // Far above the soft floor of -6, at it, and below.
    ...[2, -5, -6, -8, -30].map((logSigma) => termCase([9, 70], { logSigma })),
    ...[2, -5].map((logSigma) => termCase([9, 70], { logSigma, learned: false })),
  ]);
});

describe("the gradients by weights of a tensor", () => {
  const by = (shape: readonly number[], over: number, variant: Variant): OpCase => ({
    name: `gaussian_grad ${shape.join("x")}, ${over} weights ${JSON.stringify(variant)}`,
    build: (random) => {
      const { activation = "none", rows = shape[0]! } = variant;
      const a = random.normal(size(shape));
      const values = {
        mean: a.map((value) => Math.fround(activate(activation, value))),
        x: random.normal(size(shape)),
        log_scale: Float64Array.of(-0.25),
        saved: a.map((value) => Math.fround(saved(activation, value))),
        over: random.uniform(over),
      };
      const term = node(shape, { ...variant, gradients: false });
      const made = gradientBy(term, { knob: "weight", over: weightsTensor(over) });
      return { node: made, values, step: { rows, knobs: { weight: 0.375 } } };
    },
  });
  testOps(device, [
    ...edgeShapes(2).map((shape) => by(shape, shape[0]!, {})),
    ...imageShapes.map((shape) => by(shape, shape[0], { learned: false })),
    by([33, 100], 33, { rows: 20 }),
    by([33, 100], 1, { activation: "silu" }),
  ]);
});

it("a NaN in the mean reaches its row's sum and no other", async () => {
  const [B, D] = [3, 70];
  const mean = new Float64Array(B * D);
  mean[D + 66] = NaN;
  const values = { mean, saved: mean, x: new Float64Array(B * D), log_scale: Float64Array.of(0) };
  const { outputs } = await runNode(device, {
    node: node([B, D], {}),
    values,
    step: { ...defaultStep, rows: B, knobs: { weight: 1 } },
  });
  expect([...outputs.reconstruction!].map(Number.isFinite)).toEqual([true, true, true, false, true, true]);
});

describe("a draw", () => {
  testOps(
    device,
    [...edgeShapes(2), [37, 200]].flatMap(([B = 1, D = 1]) =>
      [true, false].map((learned): OpCase => ({
        name: `gaussian_sample ${B}x${D} ${learned ? "learned" : "fixed"} sigma`,
        build: (random) => ({
          node: gaussianSample(
            tensor("mean", "activation", [B, D]),
            tensor("log_sigma", learned ? "param" : "state", [1]),
          ),
          values: { mean: random.normal(B * D), log_scale: Float64Array.of(Math.fround(-0.7)) },
          step: { first_row: 11, sample: 3 },
        }),
      })),
    ),
  );
});
