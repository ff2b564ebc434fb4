import { Device } from "../../src/device.js";
import { concat } from "../../src/ops/concat.js";
import { opNamed } from "../../src/ops/index.js";
import { slopeNeedsInput, tensor, type Activation } from "../../src/tensor.js";
import { activate, saved } from "../reference/activation.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { edgeShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });

function forward([rows = 1, P = 1, Q = 1]: readonly number[], copies: number, activation: Activation = "none") {
  const shape = [rows * copies, P];
  const pre = slopeNeedsInput(activation) ? { pre: tensor("p.pre", "activation", shape) } : {};
  const p = tensor("p", "activation", shape, activation === "none" ? {} : { activation, ...pre });
  return concat("y", p, tensor("q", "activation", [rows, Q]));
}

const made = (shape: readonly number[], copies: number): OpCase => ({
  name: `concat ${shape.join("x")}, ${copies} draws`,
  build: (random) => {
    const [rows = 1, P = 1, Q = 1] = shape;
    const values = { p: random.normal(rows * copies * P), q: random.normal(rows * Q) };
    return { node: forward(shape, copies), values };
  },
});

const gradient = (shape: readonly number[], activation: Activation): OpCase => ({
  name: `concat_grad ${shape.join("x")}, ${activation}`,
  build: (random) => {
    const [rows = 1, P = 1, Q = 1] = shape;
    const dy = tensor("dy", "activation", [rows, P + Q]);
    const node = opNamed("concat").gradient!(forward(shape, 1, activation), { y: dy }, () => true).nodes[0]!;
    const kept = random.normal(rows * P).map((a) => Math.fround(saved(activation, activate(activation, a))));
    return { node, values: { dy: random.normal(rows * (P + Q)), saved: kept } };
  },
});

testOps(device, [
  ...edgeShapes(3).map((shape) => made(shape, 1)),
  ...[
    [5, 20, 10],
    [5, 6, 10],
    [5, 784, 10],
    [1, 1, 1],
  ].map((shape) => made(shape, 3)),
  ...edgeShapes(3).map((shape) => gradient(shape, "none")),
  ...(["relu", "tanh", "silu"] as const).map((activation) => gradient([9, 7, 5], activation)),
]);
