// npm run bench:peers: the peers' inputs, which make sure that all train the same model.
import { describe, expect, it } from "vitest";
import { comparedModels } from "../../bench/browser/cases.js";
import { trainingImages } from "../../bench/browser/images.js";
import { modelSteps, weightShapes, type ConvStep, type SpecJson } from "../../bench/browser/layers.js";
import { trainingNoise } from "../../bench/browser/noise.js";
import { channelsFirst, channelsFirstSteps, spreadPadding } from "../../bench/browser/peers/channels_first.js";
import type { Weight } from "../../bench/browser/protocol.js";
import { digits } from "../../src/datasets.js";
import type { StepValues } from "../../src/executable.js";
import { models } from "../../src/index.js";
import { RandomSequence, seedKey, Stream } from "../../src/random.js";
import { resolveSpec } from "../../src/spec.js";
import { defineModel } from "../../src/parameters.js";
import { noiseRow } from "../reference/random.js";

const random = new RandomSequence(7, Stream.data);
const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);
const values = (size: number) => Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);

const small: SpecJson = {
  input: [5, 6, 2],
  encoder: [
    { type: "conv2d", filters: 3, kernel: [3, 2], stride: [2, 1], activation: "relu" },
    { type: "conv2d", filters: 4, kernel: 2, padding: [1, 0, 0, 1] },
    { type: "flatten" },
    { type: "dense", units: 7 },
  ],
  latent: 2,
  decoder: [
    { type: "dense", units: 5 * 3 * 4 },
    { type: "reshape", shape: [5, 3, 4] },
    { type: "conv_transpose2d", filters: 2, kernel: 3, stride: [1, 2] },
  ],
  likelihood: "bernoulli",
};

/** The model's weights, in the form that peers receive. */
function weightsOf(spec: SpecJson): Map<string, Weight> {
  const shapes = [...weightShapes(modelSteps(spec))];
  return new Map(shapes.map(([name, shape]) => [name, { shape, values: values(product(shape)) }]));
}

const isConv = (step: { kind: string }): step is ConvStep => step.kind !== "dense" && step.kind !== "reshape";

describe("a spec for the peers", () => {
  it.each(["mlp", "mlp-deep", "minimal", "conv", "conv64"] as const)(
    "names %s's weights as the library saves them",
    (name) => {
      const spec = models[name]([32, 32, 1], 20);
      const saved = defineModel(resolveSpec(spec)).parameters.flatMap(({ files }) => files);
      expect([...weightShapes(modelSteps(spec as SpecJson))].sort()).toEqual(
        saved.map(({ name, shape }) => [name, shape] as [string, readonly number[]]).sort(),
      );
    },
  );

  it("has TensorFlow's same padding, with an odd pixel at the end", () => {
    const { encoder, decoder } = modelSteps(comparedModels["conv"]!.spec);
    expect(encoder.filter(isConv).map(({ to, padding }) => ({ to, padding }))).toEqual([
      { to: [14, 14, 32], padding: [0, 1, 0, 1] },
      { to: [7, 7, 64], padding: [0, 1, 0, 1] },
    ]);
    expect(decoder.filter(isConv).map(({ to, padding }) => ({ to, padding }))).toEqual([
      { to: [14, 14, 64], padding: [0, 1, 0, 1] },
      { to: [28, 28, 32], padding: [0, 1, 0, 1] },
      { to: [28, 28, 1], padding: [1, 1, 1, 1] },
    ]);
  });

  it("supports valid and explicit padding", () => {
    const conv = (layer: object) =>
      modelSteps({
        ...small,
        input: [7, 7, 1],
        encoder: [{ type: "conv2d", filters: 1, kernel: 3, stride: 2, ...layer }],
        decoder: [{ type: "dense", units: 49 }],
      }).encoder[0] as ConvStep;
    expect(conv({ padding: "valid" })).toMatchObject({ to: [3, 3, 1], padding: [0, 0, 0, 0] });
    expect(conv({ padding: 1 })).toMatchObject({ to: [4, 4, 1], padding: [1, 1, 1, 1] });
    expect(conv({ padding: [2, 0, 1, 0] })).toMatchObject({ to: [4, 3, 1], padding: [2, 0, 1, 0] });
    const up = { type: "conv_transpose2d" };
    expect(conv({ ...up, padding: "valid" })).toMatchObject({ to: [15, 15, 1] });
    expect(conv({ ...up, padding: 1, outputPadding: 1 })).toMatchObject({ to: [14, 14, 1], padding: [1, 1, 1, 1] });
  });

  it("rejects what it cannot compare, by name", () => {
    expect(() => modelSteps({ ...small, encoder: [{ type: "lstm" }] })).toThrow(/encoder\.0.*"lstm"/);
    expect(() => modelSteps({ ...small, likelihood: { type: "gaussian", variance: 1 } })).toThrow(/Bernoulli/);
    expect(() => modelSteps({ ...small, decoder: [{ type: "dense", units: 7 }] })).toThrow(/\[7\].*\[5, 6, 2\]/);
    expect(() => modelSteps({ ...small, latent: 2, decoder: [{ type: "conv2d", filters: 1, kernel: 3 }] })).toThrow(
      /decoder\.0: .*image/,
    );
  });
});

/** Plain loops over a step in NHWC with Keras's weights, one example. */
function nhwc(step: ConvStep, x: readonly number[], weight: Float32Array, bias: Float32Array): number[] {
  const [H, W, I] = step.from;
  const [h, w, O] = step.to;
  const [kh, kw] = step.kernel;
  const [top, , left] = step.padding;
  const y = Array.from({ length: h * w * O }, (_, i) => bias[i % O]!);
  // Both kinds relate a large image to a small one: large = small * stride + tap - padding.
  const [smallH, smallW, largeH, largeW] = step.kind === "conv2d" ? [h, w, H, W] : [H, W, h, w];
  for (let i = 0; i < smallH; i++)
    for (let j = 0; j < smallW; j++)
      for (let u = 0; u < kh; u++)
        for (let v = 0; v < kw; v++) {
          const row = i * step.stride[0] + u - top;
          const column = j * step.stride[1] + v - left;
          if (row < 0 || row >= largeH || column < 0 || column >= largeW) continue;
          const [fromPixel, toPixel] =
            step.kind === "conv2d" ? [row * W + column, i * w + j] : [i * W + j, row * w + column];
          for (let c = 0; c < I; c++)
            for (let o = 0; o < O; o++) {
              const tap = u * kw + v;
              const at = step.kind === "conv2d" ? (tap * I + c) * O + o : (tap * O + o) * I + c;
              y[toPixel * O + o]! += x[fromPixel * I + c]! * weight[at]!;
            }
        }
  return y;
}

/** lax.convGeneralDilated on one example: NCHW, a kernel [O, I, KH, KW] that is not flipped. */
function nchw(step: ConvStep, x: readonly number[], weight: Float32Array, bias: Float32Array): number[] {
  const [H, W, I] = step.from;
  const [h, w, O] = step.to;
  const [kh, kw] = step.kernel;
  const plain = step.kind === "conv2d";
  const [[top], [left]] = plain ? [[step.padding[0]], [step.padding[2]]] : spreadPadding(step);
  const stride = plain ? step.stride : [1, 1];
  const spread = plain ? [1, 1] : step.stride;
  const y: number[] = [];
  for (let o = 0; o < O; o++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++) {
        let sum = bias[o]!;
        for (let c = 0; c < I; c++)
          for (let u = 0; u < kh; u++)
            for (let v = 0; v < kw; v++) {
              const row = (i * stride[0] + u - (top ?? 0)) / spread[0];
              const column = (j * stride[1] + v - (left ?? 0)) / spread[1];
              if (!Number.isInteger(row) || !Number.isInteger(column)) continue;
              if (row < 0 || row >= H || column < 0 || column >= W) continue;
              sum += x[(c * H + row) * W + column]! * weight[((o * I + c) * kh + u) * kw + v]!;
            }
        y.push(sum);
      }
  return y;
}

describe("channels first", () => {
  const product2 = (x: readonly number[], weight: Float32Array, bias: Float32Array) =>
    Array.from(bias, (b, o) => x.reduce((sum, value, i) => sum + value * weight[i * bias.length + o]!, b));

  it("computes the same with permuted weights as with Keras's layouts", () => {
    const model = modelSteps(small);
    const ordered = channelsFirstSteps(model);
    const weights = weightsOf(small);
    expect([ordered.inputFirst, ordered.outputFirst]).toEqual([true, true]);
    const x = values(product(small.input));
    const plain = (steps: typeof model.encoder, from: number[]) =>
      steps.reduce((value, step) => {
        if (step.kind === "reshape") return value;
        const [weight, bias] = ["weight", "bias"].map((end) => weights.get(`${step.path}.${end}`)!.values);
        return step.kind === "dense" ? product2(value, weight!, bias!) : nhwc(step, value, weight!, bias!);
      }, from);
    const first = (steps: typeof ordered.encoder, from: number[]) =>
      steps.reduce((value, step) => {
        if (step.kind === "reshape") return value;
        const [weight, bias] = step.weights(weights);
        const apply = step.kind === "dense" ? product2 : nchw.bind(undefined, step);
        return apply(value, weight!.values, bias!.values);
      }, from);
    const features = plain(model.encoder, [...x]);
    const featuresFirst = first(ordered.encoder, [...channelsFirst(x, 1, small.input)]);
    expect(features).toHaveLength(7);
    features.forEach((value, i) => expect(featuresFirst[i]).toBeCloseTo(value, 4));
    const z = [0.5, -1.25];
    const image = channelsFirst(Float32Array.from(plain(model.decoder, z)), 1, small.input);
    const imageFirst = first(ordered.decoder, z);
    expect(imageFirst).toHaveLength(60);
    image.forEach((value, i) => expect(imageFirst[i]).toBeCloseTo(value, 4));
  });

  it("permutes the heads if their input is an image", () => {
    const spec: SpecJson = { ...small, encoder: [{ type: "conv2d", filters: 2, kernel: 1 }], latent: 1 };
    const weights = weightsOf(spec);
    const [weight] = channelsFirstSteps(modelSteps(spec)).mean.weights(weights);
    const kept = weights.get("mean.weight")!.values;
    expect([...weight!.values]).toEqual([...channelsFirst(kept, 1, [5, 6, 2])]);
  });

  it("leaves a model of vectors unchanged", () => {
    const spec: SpecJson = models.mlp([4, 4, 1], 3);
    const weights = weightsOf(spec);
    const model = channelsFirstSteps(modelSteps(spec));
    expect([model.inputFirst, model.outputFirst]).toEqual([false, false]);
    for (const step of [...model.encoder, model.mean, model.logVariance, ...model.decoder]) {
      if (step.kind === "reshape") continue;
      for (const { name, values } of step.weights(weights)) expect(values).toEqual(weights.get(name)!.values);
    }
  });
});

describe("the training data", () => {
  it.each([
    [1, 0, 3, 20],
    [1, 9, 2, 2],
    [2 ** 40 + 5, 3, 4, 5],
  ])("noise of seed %i, step %i, batch %i, %i latents is the kernel's", (seed, step, batch, latents) => {
    const [seed_low, seed_high] = seedKey(seed);
    const at = { seed_low, seed_high, step, first_row: 0, stream: Stream.training, sample: 0 } as StepValues;
    const noise = trainingNoise(seed, step, batch, latents);
    const twin = Array.from({ length: batch }, (_, row) => [...noiseRow(row, latents, at)]).flat();
    expect([...noise]).toEqual(twin.map(Math.fround));
  });

  it("images are digits of the requested size, each channel with its tint", () => {
    const plain = digits({ split: "train", count: 2, seed: 1 }).values;
    expect(trainingImages([28, 28, 1], 2)).toEqual(plain);
    const large = trainingImages([56, 56, 2], 2);
    const [x, y] = [10, 13];
    const dark = plain[28 * 28 + y * 28 + x]!;
    const at = ((56 + 2 * y) * 56 + 2 * x) * 2;
    expect([large[at], large[at + 1]]).toEqual([Math.round(dark / 2), dark]);
    expect(() => trainingImages([784], 1)).toThrow(/\[784\]/);
  });
});
