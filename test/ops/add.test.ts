import { describe, expect, it } from "vitest";
import { Device } from "../../src/device.js";
import type { Node } from "../../src/graph.js";
import { add, addGradients } from "../../src/ops/add.js";
import { opNamed } from "../../src/ops/index.js";

import { size, slopeNeedsInput, tensor, weightTensor, type Activation, activations } from "../../src/tensor.js";
import { saved } from "../reference/activation.js";
import { tensorsOf } from "../support/losses.js";
import { testOps, type OpCase } from "../support/check_op.js";
import { testDevice } from "../support/gpu.js";
import { edgeShapes, randomShapes } from "../support/sizes.js";

const device = await Device.open({ device: await testDevice() });
const shapes = [...edgeShapes(2), ...randomShapes([200, 90], 4), [2, 5, 3, 6], [1, 4, 4, 16], [3, 1, 7, 1]];

function made(name: string, shape: readonly number[], activation: Activation) {
  const pre = slopeNeedsInput(activation) ? { pre: tensor(`${name}.pre`, "activation", shape) } : {};
  return tensor(name, "activation", shape, activation === "none" ? {} : { activation, ...pre });
}

/** The sum of p made by `left` and q made by `right`. */
function sum(shape: readonly number[], left: Activation, right: Activation, activation: Activation = "none"): Node {
  return add("y", made("p", shape, left), made("q", shape, right), activation);
}

function gradients(forward: Node, wanted: (input: string) => boolean) {
  const dy = tensor("dy", "activation", forward.outputs.y!.shape);
  return { dy, ...opNamed("add").gradient!(forward, { y: dy }, wanted) };
}

const forwardCase = (shape: readonly number[], activation: Activation): OpCase => ({
  name: `add ${shape.join("x")} ${activation}`,
  build: (random) => ({
    node: sum(shape, "none", "none", activation),
    values: { p: random.normal(size(shape)), q: random.normal(size(shape)) },
  }),
});

const gradientCase = (shape: readonly number[], activation: Activation): OpCase => ({
  name: `add_grad ${shape.join("x")} ${activation}`,
  build: (random) => ({
    node: gradients(sum(shape, activation, "none"), (input) => input === "p").nodes[0]!,
    values: {
      dy: random.normal(size(shape)),
      saved: random.normal(size(shape)).map((a) => Math.fround(saved(activation, a))),
    },
  }),
});

/** For weights, whose inputs are padded as well as their outputs. */
const gradientsCase = (inputs: readonly number[], outputs: readonly number[]): OpCase => {
  const part = (name: string) => weightTensor(name, "activation", inputs, outputs);
  return {
    name: `add_gradients ${[...inputs, ...outputs].join("x")}`,
    build: (random) => ({
      node: addGradients(part("first"), part("second"), weightTensor("whole", "gradient", inputs, outputs)),
      values: { dW: random.normal(size([...inputs, ...outputs])), dW2: random.normal(size([...inputs, ...outputs])) },
    }),
  };
};

describe("every size", () => {
  testOps(device, [
    gradientsCase([5], [7]),
    gradientsCase([784], [3]),
    gradientsCase([3, 3, 6], [10]),
    gradientsCase([], [2]),
    ...shapes.map((shape) => forwardCase(shape, "softplus")),
    ...shapes.map((shape) => gradientCase(shape, "relu")),
  ]);
});

describe("every activation", () => {
  testOps(
    device,
    activations
      .filter((activation) => activation !== "none")
      .flatMap((activation) => [forwardCase([9, 37], activation), gradientCase([9, 37], activation)]),
  );
  testOps(device, [forwardCase([9, 37], "none")]);
});

describe("the gradient", () => {
  const shape = [3, 5];

  it("of a tensor without an activation is the incoming one", () => {
    const { nodes, of, dy } = gradients(sum(shape, "none", "none", "relu"), () => true);
    expect(nodes).toEqual([]);
    expect(of).toEqual({ p: dy, q: dy });
  });

  it("passes back through each input's own activation", () => {
    const forward = sum(shape, "tanh", "silu");
    const { nodes, of } = gradients(forward, () => true);
    expect(nodes.map(({ attributes }) => attributes.activation)).toEqual(["tanh", "silu"]);
    expect(nodes.map(({ inputs }) => inputs.saved!.name)).toEqual(["p", "q.pre"]);
    expect(nodes.map(({ outputs }) => outputs.dp)).toEqual([of.p, of.q]);
    expect([tensorsOf(of).p!.name, tensorsOf(of).q!.name]).toEqual(["dp", "dq"]);
  });

  it("of a sum with itself is computed once", () => {
    const p = made("p", shape, "tanh");
    const { nodes, of } = gradients(add("y", p, p), () => true);
    expect(nodes).toHaveLength(1);
    expect(of.p).toBe(of.q);
  });

  it("is computed only if it is needed", () => {
    const { nodes, of } = gradients(sum(shape, "tanh", "tanh"), (input) => input === "q");
    expect(nodes.map(({ inputs }) => inputs.saved!.name)).toEqual(["q"]);
    expect(Object.keys(of)).toEqual(["q"]);
  });
});

it("tensors of different shapes cannot be added", () => {
  const p = tensor("p", "activation", [2, 3, 4]);
  expect(() => add("y", p, tensor("q", "activation", [2, 4, 3]))).toThrow("add: p is [2,3,4], q [2,4,3]");
});
