import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import { opNamed } from "../../src/ops/index.js";
import { reshapeCopy } from "../../src/ops/reshape.js";

import { size, slopeNeedsInput, tensor, type Activation, activations } from "../../src/tensor.js";
import { saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { edges, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

type Shapes = readonly [from: readonly number[], to: readonly number[]];

/** Vectors to images and back, with every edge size as the number of channels, and rows that end within a vec4. */
const shapes: readonly Shapes[] = [
  ...edges.flatMap((C): Shapes[] => [
    [
      [3, 2, 5, C],
      [3, 10 * C],
    ],
    [
      [2, 21 * C],
      [2, 3, 7, C],
    ],
  ]),
  ...randomShapes([6, 9, 9, 20], 6).map((shape): Shapes => [shape, [shape[0]!, size(shape.slice(1))]]),
  [[1], [1, 1]],
  [
    [5, 6],
    [3, 2, 5],
  ],
  [[30], [2, 5, 3]],
  [
    [4, 8],
    [4, 8],
  ],
];

function forward([from, to]: Shapes, activation: Activation = "none") {
  const pre = slopeNeedsInput(activation) ? { pre: tensor("x.pre", "activation", from) } : {};
  return reshapeCopy("y", tensor("x", "activation", from, { activation, ...pre }), to);
}

const forwardCase = (pair: Shapes): OpCase => ({
  name: `reshape ${pair.map((shape) => shape.join("x")).join(" to ")}`,
  build: (random) => ({ node: forward(pair), values: { x: random.normal(size(pair[0])) } }),
});

const gradientCase = (pair: Shapes, activation: Activation): OpCase => ({
  name: `reshape_grad ${pair.map((shape) => shape.join("x")).join(" to ")} ${activation}`,
  build: (random) => {
    const dy = tensor("dy", "activation", pair[1]);
    return {
      node: opNamed("reshape").gradient!(forward(pair, activation), { y: dy }, () => true).nodes[0]!,
      values: {
        dy: random.normal(size(pair[1])),
        saved: random.normal(size(pair[0])).map((a) => Math.fround(saved(activation, a))),
      },
    };
  },
});

describe("every shape", () => {
  testOps(device, [...shapes.map(forwardCase), ...shapes.map((pair) => gradientCase(pair, "relu"))]);
});

describe("every activation", () => {
  const pair: Shapes = [
    [3, 4, 5, 6],
    [3, 120],
  ];
  testOps(
    device,
    activations.map((activation) => gradientCase(pair, activation)),
  );
});

it("neither adds values nor drops any", () => {
  const x = tensor("x", "activation", [2, 3, 4]);
  expect(() => reshapeCopy("y", x, [2, 11])).toThrow("reshape: x [2,3,4] cannot become [2,11]");
});
