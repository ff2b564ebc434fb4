// Gradients of the image ops' twins, compared with central differences of their own forward passes.
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/graph.js";
import { add } from "../../src/ops/add.js";
import { dropout } from "../../src/ops/dropout.js";
import { opNamed } from "../../src/ops/index.js";
import { partsOf } from "../../src/ops/op.js";
import { reshapeCopy } from "../../src/ops/reshape.js";

import { size, slopeNeedsInput, tensor, type Activation, type Tensor, activations } from "../../src/tensor.js";
import { activate, saved, slope } from "../reference/activation.js";
import { twinOf } from "../reference/index.js";
import type { Values } from "../reference/twin.js";
import { directions, gradientsOf, layer, square, type Geometry } from "../support/convolutions.js";
import { expectGradient } from "../support/differences.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const run = (node: Node, values: Values) => twinOf(node.op)(node, values, defaultStep);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0);

const geometries: Record<string, Geometry> = {
  "3x2, unequal strides": {
    B: 2,
    CL: 3,
    CS: 2,
    large: [5, 4],
    small: [3, 4],
    kernel: [3, 2],
    stride: [2, 1],
    pad: [1, 0],
  },
  "no padding": { B: 1, CL: 2, CS: 3, large: [4, 5], small: [2, 4], kernel: [3, 2], stride: [1, 1], pad: [0, 0] },
  "strides past the kernel": {
    B: 2,
    CL: 1,
    CS: 5,
    large: [7, 5],
    small: [3, 2],
    kernel: [2, 1],
    stride: [3, 3],
    pad: [1, 0],
  },
  "as large as the image": { B: 2, CL: 2, CS: 4, ...square(3, 1, 3, 1, 0) },
};

describe.each(directions)("%s", (direction) => {
  const [input, output] = direction === "conv2d" ? (["large", "small"] as const) : (["small", "large"] as const);
  const check = (geometry: Geometry, activation: Activation) => {
    const forward = layer(direction, geometry, activation, activation);
    const { nodes } = gradientsOf(forward, true);
    const [backward, input_gradient] = [nodes[0]!, nodes.at(-1)!];
    const random = new RandomValues(`${direction} ${activation}`);
    const normal = (tensor: Tensor) => random.normal(size(tensor.shape));
    const [a, W, b] = [normal(forward.inputs[input]!), normal(forward.inputs.W!), normal(forward.inputs.b!)];
    const weights = normal(forward.outputs.result!);
    const inputs = () => ({ [input]: a.map((value) => activate(activation, value)), W, b });
    const objective = () => dot(run(forward, inputs()).result!, weights);
    const { result, pre = result! } = run(forward, inputs());
    const given = {
      ...inputs(),
      saved: a.map((value) => saved(activation, value)),
      [output]: weights.map((value, i) => value * slope(activation, pre[i]!)),
    };
    const gradients = run(backward, given);
    const dx = run(input_gradient, given).result!;
    expectGradient(dx, objective, a);
    expectGradient(gradients.dW!, objective, W);
    expectGradient(gradients.db!, objective, b);
    // In place, overwriting what the slope is computed from, it is the same.
    const over = gradientsOf(forward, true, true).nodes.at(-1)!;
    expect(over.attributes.in_place).toBe(activation !== "none");
    expect(run(over, { ...given, result: given.saved }).result).toEqual(dx);
    return { backward, given, gradients };
  };

  it.each(Object.entries(geometries))("%s", (_, geometry) => {
    check(geometry, "tanh");
  });

  it.each(activations)("its input and result made by %s", (activation) => {
    check(geometries["3x2, unequal strides"]!, activation);
  });

  it("gradients in parts add up to the whole, and each pixel is in one part", () => {
    const { backward, given, gradients } = check(geometries["3x2, unequal strides"]!, "none");
    const parts = 3;
    const split = (key: string) => partsOf(backward.outputs[key]!, parts);
    const outputs = { ...backward.outputs, dW: split("dW"), db: split("db") };
    const made = run({ ...backward, outputs }, given);
    for (const key of ["dW", "db"]) {
      const whole = gradients[key]!;
      const part = (p: number) => made[key]!.slice(p * whole.length, (p + 1) * whole.length);
      whole.forEach((value, i) => {
        expect(part(0)[i]! + part(1)[i]! + part(2)[i]!).toBeCloseTo(value, 12);
      });
      for (const p of [0, 1, 2]) expect(Math.max(...part(p).map(Math.abs))).toBeGreaterThan(0);
    }
  });
});

/** By hand: a 3 x 3 image, the kernel [[1, 2], [3, 4]], no padding. */
describe("visible properties", () => {
  const geometry: Geometry = { B: 1, CL: 1, CS: 1, ...square(3, 2, 2, 1, 0) };
  const [W, b] = [Float64Array.of(1, 2, 3, 4), Float64Array.of(100)];

  it("a convolution does not flip its kernel", () => {
    const forward = layer("conv2d", geometry, "none");
    const large = Float64Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0);
    expect([...run(forward, { large, W, b }).result!]).toEqual([104, 103, 102, 101]);
  });

  it("a transposed one stamps its kernel at each pixel", () => {
    const forward = layer("conv2d_transpose", geometry, "none");
    const small = Float64Array.of(0, 1, 0, 0);
    expect([...run(forward, { small, W, b }).result!]).toEqual([100, 101, 102, 100, 103, 104, 100, 100, 100]);
  });
});

describe.each(activations)("a tensor made by %s", (activation) => {
  const shape = [2, 3, 2, 5];
  const pre = slopeNeedsInput(activation) ? { pre: tensor("x.pre", "activation", shape) } : {};
  const x = tensor("x", "activation", shape, { activation, ...pre });
  const q = tensor("q", "activation", shape);
  const layers: Record<string, Node> = {
    "added to another": add("y", x, q, activation),
    "dropped in part": dropout("y", x, 0.4, 3),
    reshaped: reshapeCopy("y", x, [2, 30]),
  };

  it.each(Object.entries(layers))("%s: its gradient", (name, forward) => {
    const random = new RandomValues(`${name} ${activation}`);
    const [a, others, weights] = [random.normal(60), random.normal(60), random.normal(60)];
    const y = () => {
      const values = a.map((value) => activate(activation, value));
      return run(forward, { x: values, p: values, q: others });
    };
    const { y: made, pre: kept = made! } = y();
    const of = forward.op === "add" ? activation : "none";
    const dy = weights.map((weight, i) => weight * slope(of, kept[i]!));
    const upstream = { y: tensor("dy", "activation", forward.outputs.y!.shape) };
    const key = Object.keys(forward.inputs)[0]!;
    const rule = opNamed(forward.op).gradient!(forward, upstream, (input) => input === key);
    const given = { dy, saved: a.map((value) => saved(activation, value)) };
    // Where no activation made x, the sum passes on what arrives.
    const gradient = rule.nodes[0] ? Object.values(run(rule.nodes[0], given))[0]! : dy;
    expectGradient(gradient, () => dot(y().y!, weights), a);
  });
});
