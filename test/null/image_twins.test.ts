// The gradients of the twins that work on images, against central differences of their own forward passes.
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/graph.js";
import { activations } from "../../src/spec.js";
import { like, size, slopeNeedsInput, tensor, weightTensor, type Activation, type Tensor } from "../../src/tensor.js";
import { activate, saved, slope } from "../reference/activation.js";
import { twinOf } from "../reference/index.js";
import type { Values } from "../reference/twin.js";
import { expectGradient } from "../support/differences.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const run = (node: Node, values: Values) => twinOf(node.op)(node, values, defaultStep);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0);

/** [B, H, W, C] of both images, [KH, KW], strides and padding, down and then across. */
interface Geometry {
  readonly large: readonly number[];
  readonly small: readonly number[];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number];
}

const geometries: Record<string, Geometry> = {
  "3x2, unequal strides": { large: [2, 5, 4, 3], small: [2, 3, 4, 2], kernel: [3, 2], stride: [2, 1], pad: [1, 0] },
  "no padding": { large: [1, 4, 5, 2], small: [1, 2, 4, 3], kernel: [3, 2], stride: [1, 1], pad: [0, 0] },
  "strides past the kernel": { large: [2, 7, 5, 1], small: [2, 3, 2, 5], kernel: [2, 1], stride: [3, 3], pad: [1, 0] },
  "as large as the image": { large: [2, 3, 3, 2], small: [2, 1, 1, 4], kernel: [3, 3], stride: [1, 1], pad: [0, 0] },
};

/** The forward node, and the one of its gradients, whose input was made by `activation` as its result is. */
function nodes(transposed: boolean, { large, small, kernel, stride, pad }: Geometry, activation: Activation) {
  const [from, to] = transposed ? [small, large] : [large, small];
  const kept = (name: string, shape: readonly number[]) =>
    slopeNeedsInput(activation) ? { pre: tensor(`${name}.pre`, "activation", shape) } : {};
  const x = tensor("x", "activation", from, { activation, ...kept("x", from) });
  const y = tensor("y", "activation", to, { activation, ...kept("y", to) });
  const W = weightTensor("W", "param", [...kernel, large[3]!], [small[3]!]);
  const b = tensor("b", "param", [to[3]!]);
  const attributes = { activation, stride_y: stride[0], stride_x: stride[1], pad_y: pad[0], pad_x: pad[1] };
  const op = transposed ? "conv2d_transpose" : "conv2d";
  const [input, output] = transposed ? ["small", "large"] : ["large", "small"];
  const forward: Node = { op, inputs: { [input]: x, W, b }, outputs: { result: y, ...kept("y", to) }, attributes };
  const dy = tensor("dy", "activation", to);
  const weights: Record<string, Tensor> = { dW: like(W, "dW", "gradient"), db: like(b, "db", "gradient") };
  const backward: Node = {
    op: `${op}_grad`,
    inputs: { [input]: x, [output]: dy, W, saved: x.pre ?? x },
    outputs: { result: tensor("dx", "activation", from), ...weights },
    attributes,
  };
  const weight: Node = {
    ...backward,
    op: `${op}_grad_weight`,
    inputs: { [input]: x, [output]: dy },
    outputs: weights,
  };
  return { forward, backward, weight, input: input, output: output };
}

describe.each([false, true])("transposed convolution: %s", (transposed) => {
  const check = (geometry: Geometry, activation: Activation) => {
    const { forward, backward, weight, input, output } = nodes(transposed, geometry, activation);
    const random = new RandomValues(`${transposed} ${activation}`);
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
    expectGradient(gradients.result!, objective, a);
    expectGradient(gradients.dW!, objective, W);
    expectGradient(gradients.db!, objective, b);
    expect(run(weight, given)).toEqual({ dW: gradients.dW, db: gradients.db });
    return { backward, given, gradients };
  };

  it.each(Object.entries(geometries))("%s", (_, geometry) => {
    check(geometry, "tanh");
  });

  it.each(activations)("its input and result made by %s", (activation) => {
    check(geometries["3x2, unequal strides"]!, activation);
  });

  it("gradients in parts add up to the whole, and each pixel is in one of them", () => {
    const { backward, given, gradients } = check(geometries["3x2, unequal strides"]!, "none");
    const parts = 3;
    const split = (key: string) => {
      const whole = backward.outputs[key]!;
      const sizes = { shape: [parts, ...whole.shape], storage: [parts, ...whole.storage] };
      return { ...whole, name: `${whole.name}.parts`, ...sizes };
    };
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
describe("what can be seen", () => {
  const geometry: Geometry = {
    large: [1, 3, 3, 1],
    small: [1, 2, 2, 1],
    kernel: [2, 2],
    stride: [1, 1],
    pad: [0, 0],
  };
  const [W, b] = [Float64Array.of(1, 2, 3, 4), Float64Array.of(100)];

  it("a convolution doesn't turn its kernel", () => {
    const { forward } = nodes(false, geometry, "none");
    const large = Float64Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0);
    expect([...run(forward, { large, W, b }).result!]).toEqual([104, 103, 102, 101]);
  });

  it("a transposed one stamps its kernel at each pixel", () => {
    const { forward } = nodes(true, geometry, "none");
    const small = Float64Array.of(0, 1, 0, 0);
    expect([...run(forward, { small, W, b }).result!]).toEqual([100, 101, 102, 100, 103, 104, 100, 100, 100]);
  });
});
