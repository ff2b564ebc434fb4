// An independent reference: TensorFlow.js on its plain CPU backend, with its own gradients, compared with our twins,
// and thereby with the kernels. It computes in f32, while the twins use f64.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { batchNorm } from "../../src/ops/batch_norm.js";
import { opNamed } from "../../src/ops/index.js";
import { size, tensor, type Activation, type Tensor } from "../../src/tensor.js";
import { activate, derivative } from "../reference/activation.js";
import { tensorsOf } from "../support/losses.js";
import { directions, gradientsOf, layer, randomGeometries, title, type Geometry } from "../support/convolutions.js";
import { affineTensors, inputTensor, runTwins, type Named } from "../support/norms.js";
import { RandomValues } from "../support/random_values.js";
import { randomShapes } from "../support/sizes.js";

beforeAll(async () => {
  // Otherwise it advertises its other backends.
  tf.enableProdMode();
  expect(await tf.setBackend("cpu")).toBe(true);
});

const theirActivations: Partial<Record<Activation, (a: tf.Tensor) => tf.Tensor>> = {
  relu: tf.relu,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  softplus: tf.softplus,
  silu: (a) => tf.mul(a, tf.sigmoid(a)),
};
const activations = Object.keys(theirActivations) as Activation[];

/** The i-th of all pairs of activations: the one that made the input, and the one that makes the result. */
const pair = (i: number) => [activations[i % activations.length]!, activations[(i + 2) % activations.length]!] as const;

const toTheirs = (values: Float64Array, shape: readonly number[]) => tf.tensor(Float32Array.from(values), [...shape]);

/**
 * The allowed deviation relative to the largest value, from sequential f32 sums. Observed: 9e-7 for a convolution,
 * 1.4e-6 for a normalization, whose gradient subtracts means.
 */
const CONVOLUTION = 4e-6;
const NORMALIZATION = 6e-6;

/** Compares ours with theirs, relative to their largest value, or to 1 if terms of about 1 cancel to less. */
function expectClose(ours: Float64Array | undefined, theirs: tf.Tensor | undefined, what: string, limit: number): void {
  const expected = theirs!.dataSync<"float32">();
  expect(ours!.length, what).toBe(expected.length);
  let [error, largest] = [0, 0];
  expected.forEach((value, i) => {
    error = Math.max(error, Math.abs(value - ours![i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  expect(error / Math.max(largest, 1), what).toBeLessThan(limit);
}

/** Zeros around the large image; after it, as many as the last small pixel's taps need. */
function paddingOf({ large, small, kernel, stride, pad }: Geometry): tf.backend_util.ExplicitPadding {
  const along = (axis: 0 | 1): [number, number] => {
    const end = (small[axis] - 1) * stride[axis] + kernel[axis] - pad[axis];
    return [pad[axis], Math.max(end - large[axis], 0)];
  };
  return [[0, 0], along(0), along(1), [0, 0]];
}

describe.each(directions)("%s", (direction) => {
  const [input, output] = direction === "conv2d" ? (["large", "small"] as const) : (["small", "large"] as const);
  const cases = randomGeometries(30).map((geometry, i) => [title(geometry), geometry, ...pair(i)] as const);

  it.each(cases)("%s", (name, geometry, from, activation) => {
    const forward = layer(direction, geometry, activation, from);
    const { [input]: x, W, b } = forward.inputs as Record<string, Tensor>;
    const { result } = forward.outputs;
    const random = new RandomValues(name);
    const values = (of: Tensor | undefined, scale = 1) => random.normal(size(of!.shape), scale);
    const terms = geometry.kernel[0] * geometry.kernel[1] * (direction === "conv2d" ? geometry.CL : geometry.CS);
    const given = { a: values(x), W: values(W, Math.sqrt(1 / terms)), b: values(b), dy: values(result) };

    const { stride } = geometry;
    const model = (a: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) => {
      const made = theirActivations[from]!(a) as tf.Tensor4D;
      const [taps, strides, pad] = [kernel as tf.Tensor4D, [...stride] as [number, number], paddingOf(geometry)];
      const product =
        direction === "conv2d"
          ? tf.conv2d(made, taps, strides, pad)
          : tf.conv2dTranspose(made, taps, result!.shape as [number, number, number, number], strides, pad);
      return theirActivations[activation]!(tf.add(product, bias));
    };

    const start: Named = new Map([
      [x!.name, given.a.map((a) => activate(from, a))],
      [`${x!.name}.pre`, given.a],
      [W!.name, given.W],
      [b!.name, given.b],
    ]);
    const { result: linear } = layer(direction, geometry, "none", from).outputs;
    const pre = runTwins([layer(direction, geometry, "none", from)], start).get(linear!.name)!;
    const { nodes, of } = gradientsOf(forward, true);
    start.set(
      nodes[0]!.inputs[output]!.name,
      given.dy.map((dy, i) => dy * derivative(activation, pre[i]!)),
    );
    const ours = runTwins([forward, ...nodes], start);

    tf.tidy(() => {
      const inputs = [toTheirs(given.a, x!.shape), toTheirs(given.W, W!.shape), toTheirs(given.b, b!.shape)] as const;
      expectClose(ours.get(result!.name), model(...inputs), "y", CONVOLUTION);
      const [da, dW, db] = tf.grads(model)([...inputs], toTheirs(given.dy, result!.shape));
      expectClose(ours.get(tensorsOf(of)[input]!.name), da, "gradient of the input", CONVOLUTION);
      expectClose(ours.get(tensorsOf(of).W!.name), dW, "gradient of W", CONVOLUTION);
      expectClose(ours.get(tensorsOf(of).b!.name), db, "gradient of b", CONVOLUTION);
    });
  });
});

describe("batch_norm", () => {
  const EPSILON = 1e-3;
  const shapes = [...randomShapes([4, 6, 6, 9], 8), ...randomShapes([60, 40], 8), [1, 7, 9, 3], [2, 1]];

  it.each(shapes.map((shape, i) => [shape.join("x"), shape, ...pair(i)] as const))(
    "%s",
    (name, shape, from, activation) => {
      const x = inputTensor(shape, from);
      const channels = shape.slice(-1);
      const tensors = affineTensors(shape);
      const { gamma, beta } = tensors;
      const forward = batchNorm("y", x, tensors, { epsilon: EPSILON }, activation);
      const linear = batchNorm("y", x, tensors, { epsilon: EPSILON });
      const random = new RandomValues(name);
      const given = {
        a: random.normal(size(shape)),
        gamma: random.normal(channels[0]!),
        beta: random.normal(channels[0]!),
        dy: random.normal(size(shape)),
      };
      const model = (a: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
        const made = theirActivations[from]!(a);
        const { mean, variance } = tf.moments(
          made,
          shape.slice(0, -1).map((_, axis) => axis),
        );
        const normalized = tf.batchNorm(made, mean, variance, offset, scale, EPSILON);
        return theirActivations[activation]!(normalized);
      };

      const start: Named = new Map([
        ["x", given.a.map((a) => activate(from, a))],
        ["x.pre", given.a],
        [gamma.name, given.gamma],
        [beta.name, given.beta],
      ]);
      const pre = runTwins(linear, start).get("y")!;
      const last = forward.at(-1)!;
      const dy = tensor("dy", "activation", shape);
      const { nodes, of } = opNamed(last.op).gradient!(last, { y: dy }, () => true);
      start.set(
        "dy",
        given.dy.map((value, i) => value * derivative(activation, pre[i]!)),
      );
      const ours = runTwins([...forward, ...nodes], start);

      tf.tidy(() => {
        const inputs = [
          toTheirs(given.a, shape),
          toTheirs(given.gamma, channels),
          toTheirs(given.beta, channels),
        ] as const;
        expectClose(ours.get("y"), model(...inputs), "y", NORMALIZATION);
        const [da, dgamma, dbeta] = tf.grads(model)([...inputs], toTheirs(given.dy, shape));
        expectClose(ours.get(tensorsOf(of).x!.name), da, "gradient of the input", NORMALIZATION);
        expectClose(ours.get(tensorsOf(of).gamma!.name), dgamma, "gradient of gamma", NORMALIZATION);
        expectClose(ours.get(tensorsOf(of).beta!.name), dbeta, "gradient of beta", NORMALIZATION);
      });
    },
  );
});
