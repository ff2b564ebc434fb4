import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { bernoulli } from "../../src/ops/bernoulli.js";
import { size, tensor } from "../../src/tensor.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { gradientBy, minimised, weightsTensor } from "../support/losses.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep, runNode } from "../support/run_node.js";
import { edgeShapes, imageShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

const term = ([B = 1, ...rest]: readonly number[], copies = 1) =>
  bernoulli(tensor("logits", "activation", [B * copies, ...rest]), tensor("x", "input", [B, ...rest]));

describe("the gradient by weights of a tensor", () => {
  const ofDraws = (shape: readonly number[], copies: number): OpCase => ({
    name: `bernoulli_grad ${shape.join("x")}, ${copies} draws`,
    build: (random) => {
      const [B = 1] = shape;
      const weight = { knob: "weight", over: weightsTensor(B * copies) };
      return {
        node: gradientBy(term(shape, copies), weight),
        values: {
          logits: random.normal(copies * size(shape), 3),
          x: random.uniform(size(shape)),
          over: random.uniform(B * copies),
        },
        step: { rows: Math.ceil(B / 2), knobs: { weight: 0.375 } },
      };
    },
  });
  testOps(device, [ofDraws([7, 70], 3), ofDraws([3, 5, 7, 1], 2), ofDraws([1, 784], 50)]);

  const by = (shape: readonly number[], rows: number, over: number): OpCase => ({
    name: `bernoulli_grad ${shape.join("x")}, ${rows} rows count, ${over} weights`,
    build: (random) => ({
      node: gradientBy(term(shape), { knob: "weight", over: weightsTensor(over) }),
      values: {
        logits: random.normal(size(shape), 3),
        x: random.uniform(size(shape)),
        over: random.uniform(over),
      },
      step: { rows, knobs: { weight: 0.375 } },
    }),
  });
  testOps(device, [
    ...edgeShapes(2).map((shape) => by(shape, shape[0]!, shape[0]!)),
    ...imageShapes.map((shape) => by(shape, shape[0], shape[0])),
    by([33, 100], 20, 33),
    by([33, 100], 33, 1),
  ]);

  it("is, where all weights are 1, the bits of the one made beside the term", async () => {
    const [random, shape] = [new RandomValues("apart"), [9, 130]];
    const values = { logits: random.normal(9 * 130, 3), x: random.uniform(9 * 130), over: new Float64Array(9).fill(1) };
    const step = { ...defaultStep, rows: 9, gradient_scale: 8, knobs: { weight: Math.fround(0.3) } };
    const apart = gradientBy(term(shape), { knob: "weight", over: weightsTensor(9) });
    const [one, other] = [
      await runNode(device, { node: minimised(term(shape), "weight"), values, step }),
      await runNode(device, { node: apart, values, step }),
    ];
    expect(other.outputs.dlogits).toEqual(one.outputs.dlogits);
  });
});
