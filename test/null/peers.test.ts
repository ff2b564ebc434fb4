// npm run bench:peers, as far as it needs no browser: what the peers are given, and what is made of what they measure.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { comparedModels } from "../../bench/browser/cases.js";
import { comparisonChart } from "../../bench/browser/chart.js";
import { Contestant, type PageSession } from "../../bench/browser/contestant.js";
import { trainingImages } from "../../bench/browser/images.js";
import { modelSteps, weightShapes, type ConvStep, type SpecJson } from "../../bench/browser/layers.js";
import { comparisonMarkdown } from "../../bench/browser/markdown.js";
import { trainingNoise } from "../../bench/browser/noise.js";
import { comparisonCommand, comparisonOptions } from "../../bench/browser/options.js";
import { knownPeers } from "../../bench/browser/peers.js";
import { channelsFirst, channelsFirstSteps, spreadPadding } from "../../bench/browser/peers/channels_first.js";
import type { PageCalls, Weight } from "../../bench/browser/protocol.js";
import type { Comparison, PeerResult } from "../../bench/browser/results.js";
import { TimeUp } from "../../bench/browser/session.js";
import { lossDifference, spreadOf } from "../../bench/browser/statistics.js";
import { resultLine, summary } from "../../bench/browser/summary.js";
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

/** Weights of the model, as a peer is given them. */
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

  it("knows TensorFlow's same padding, its odd pixel behind", () => {
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

  it("takes valid and explicit padding", () => {
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

  it("refuses what it cannot compare, by name", () => {
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

/** lax.convGeneralDilated on one example: NCHW, a kernel [O, I, KH, KW] that is not turned. */
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

  it("computes the same from permuted weights as Keras's layouts do", () => {
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

  it("permutes the heads where an image goes into them", () => {
    const spec: SpecJson = { ...small, encoder: [{ type: "conv2d", filters: 2, kernel: 1 }], latent: 1 };
    const weights = weightsOf(spec);
    const [weight] = channelsFirstSteps(modelSteps(spec)).mean.weights(weights);
    const kept = weights.get("mean.weight")!.values;
    expect([...weight!.values]).toEqual([...channelsFirst(kept, 1, [5, 6, 2])]);
  });

  it("leaves a model of vectors as it is", () => {
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

describe("what everyone trains on", () => {
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

  it("images are digits in the size asked for, each channel with its tint", () => {
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

describe("statistics", () => {
  it("medians and ends", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, fastest: 1, slowest: 3 });
    expect(spreadOf([4, 1, 2, 10])).toEqual({ median: 3, fastest: 1, slowest: 10 });
    expect(() => spreadOf([])).toThrow();
  });

  it("the largest relative difference of the losses that both have", () => {
    expect(lossDifference([100, 202, 5], [100, 200])).toBeCloseTo(0.01, 12);
    expect(lossDifference([100, NaN], [100, 200])).toBe(Infinity);
    expect(lossDifference([99], [100, 200])).toBeCloseTo(0.01, 12);
  });
});

/** A page that answers from a list; what is not in it fails. */
function fakeSession(answers: Partial<Record<keyof PageCalls, (given: unknown) => unknown>>): PageSession {
  return {
    version: "Chrome/1",
    call: (name: keyof PageCalls, _limit: number, ...given: unknown[]) =>
      Promise.resolve().then(() => {
        const answer = answers[name];
        if (!answer) throw new Error(`no ${name} here`);
        return answer(given[0]);
      }),
    heapBytes: () => Promise.resolve(1e6),
    close: () => Promise.resolve(),
  } as unknown as PageSession;
}

const files = new Map([["peer.js", new Uint8Array(100_000)]]);
const jax = knownPeers.find(({ name }) => name === "jaxjs-wasm")!;

async function contest(answers: Parameters<typeof fakeSession>[0], losses = [50, 40]): Promise<PeerResult> {
  const reference = new Contestant(jax, files, 100_000);
  const good = {
    start: () => ({ firstStepMs: 5, loss: losses[0], detail: "", fetched: ["page.js", "peer.js", "peer.js"] }),
  };
  let at = 1;
  const measured = { stepMs: 10, steps: 1, losses: [], kernels: 14, submits: 0.25 };
  const next = () => [losses[at++] ?? 1];
  await reference.start(() => Promise.resolve(fakeSession({ ...good, losses: next, measure: () => measured })));
  await reference.repeat();
  const peer = new Contestant(jax, files, 100_000);
  at = 1;
  await peer.start(() => Promise.resolve(fakeSession({ ...good, losses: next, ...answers })));
  peer.check(reference.losses);
  await peer.repeat();
  await peer.repeat();
  await peer.finish();
  return peer.result("mlp", 128, reference);
}

describe("a contestant", () => {
  it("is timed in the better way of waiting, against webvae", async () => {
    const measure = (pace: unknown) => {
      const { every } = pace as { every: number };
      return { stepMs: every === 10 ? 20 : 30, steps: 1, losses: [], kernels: null, submits: null };
    };
    const memory = () => ({ gpuBytes: null, hostBytes: 2e6 });
    expect(await contest({ measure, memory })).toMatchObject({
      medianMs: 20,
      spreadMs: 0,
      repetitions: 2,
      every: 10,
      speedup: 2,
      kernels: null,
      comparedSteps: 10,
      lossDifference: 0,
      heapBytes: 1e6,
      hostBytes: 2e6,
      scriptBytes: gzipSync(new Uint8Array(100_000), { level: 9 }).length,
      wasmBytes: 0,
      error: null,
    });
  });

  it("is out where its losses differ", async () => {
    let step = 0;
    const result = await contest({ losses: () => [++step === 1 ? 40.05 : 1] });
    expect(result).toMatchObject({ medianMs: null, speedup: null, comparedSteps: 10 });
    expect(result.error).toBe("losses differ: 40.05 at step 2, where webvae has 40");
  });

  it("is out with its own words where it fails", async () => {
    const result = await contest({
      losses: () => {
        throw new Error("Kernel 'X' not registered");
      },
    });
    expect(result).toMatchObject({ medianMs: null, error: "Kernel 'X' not registered" });
  });

  it("is out where it takes too long", async () => {
    const result = await contest({
      losses: () => {
        throw new TimeUp();
      },
    });
    expect(result.error).toMatch(/^too slow: 1 steps/);
  });
});

describe("arguments", () => {
  const parse = (...given: string[]) => {
    const said: string[] = [];
    const command = comparisonCommand()
      .exitOverride()
      .configureOutput({ writeErr: (text) => said.push(text) });
    try {
      return comparisonOptions(command.parse(given, { from: "user" }));
    } catch {
      return said.join("");
    }
  };

  it("default to every model and peer", () => {
    const options = parse();
    expect(options).toMatchObject({ repeats: 5, headful: false, adapter: undefined, json: false, whole: true });
    if (typeof options === "string") throw new Error(options);
    expect(options.cases.map(({ name, batch }) => [name, batch])).toEqual([
      ["mlp", 128],
      ["conv", 32],
      ["conv64", 16],
    ]);
    expect(options.peers).toEqual(knownPeers);
  });

  it("make a case of every model and batch", () => {
    const options = parse("--models", "conv,mlp", "--batch", "32, 128", "--peers", "jaxjs-wasm");
    if (typeof options === "string") throw new Error(options);
    expect(options.cases.map(({ name, batch }) => `${name} ${batch}`)).toEqual([
      "conv 32",
      "conv 128",
      "mlp 32",
      "mlp 128",
    ]);
    expect(options.peers.map(({ name }) => name)).toEqual(["jaxjs-wasm"]);
    expect(options.whole).toBe(false);
  });

  it.each([
    [["--peers", "tfjs"], /no peer "tfjs"; known are tfjs-webgpu, .*jaxjs-wasm/],
    [["--models", "mlp,resnet"], /no model "resnet"; known are mlp, conv, conv64/],
    [["--models", "toString"], /no model "toString"/],
    [["--peers", ","], /names no peer/],
    [["--batch", "32,0"], /whole number from 1/],
    [["--batch", "many"], /whole number/],
    [["--repeats", "0"], /whole number from 1/],
    [["--adapter", "cuda"], /no adapter "cuda"; known are swiftshader, default/],
    [["--limit", "500"], /whole number from 5 to/],
    [["--peer", "tfjs-cpu"], /unknown option '--peer'/],
  ] as const)("refuse %j", (given, message) => {
    expect(parse(...given)).toMatch(message);
  });
});

describe("results", () => {
  const row: PeerResult = {
    model: "mlp",
    batch: 128,
    peer: "webvae",
    medianMs: 100.25,
    spreadMs: 20,
    fastestMs: 90,
    slowestMs: 110,
    repetitions: 5,
    firstStepMs: 1800,
    kernels: 14,
    submits: 0.25,
    speedup: 1,
    every: null,
    lossDifference: 0,
    comparedSteps: 10,
    heapBytes: 2e6,
    hostBytes: null,
    gpuBytes: 1.8e7,
    scriptBytes: 40_000,
    wasmBytes: 0,
    detail: "",
    error: null,
  };
  const failed: PeerResult = {
    ...row,
    peer: "tfjs-wasm",
    ...{ medianMs: null, spreadMs: null, fastestMs: null, slowestMs: null, repetitions: 0, firstStepMs: null },
    ...{ kernels: null, submits: null, speedup: null, lossDifference: null, heapBytes: null, gpuBytes: null },
    error: "no <kernel> | here",
  };
  const comparison: Comparison = {
    adapter: "google swiftshader",
    commit: "abc1234",
    date: "2026-11-20T12:00:00.000Z",
    browser: "Chrome/150",
    versions: { "@tensorflow/tfjs": "4.22.0" },
    processors: 2,
    repeats: 5,
    limitSeconds: 75,
    results: [row, { ...row, peer: "jaxjs-wasm", medianMs: 30.06, speedup: 0.3, model: "conv" }, failed],
  };

  it("the JSON line holds what is promised, null where there is nothing", () => {
    const { adapter, commit, results } = summary(comparison);
    expect([adapter, commit]).toEqual(["google swiftshader", "abc1234"]);
    const keys = [
      ...["model", "batch", "peer", "medianMs", "spreadMs", "firstStepMs", "kernels", "submits", "speedup", "error"],
    ];
    for (const result of results) expect(Object.keys(result)).toEqual(keys);
    expect(results[2]).toMatchObject({ peer: "tfjs-wasm", medianMs: null, kernels: null, error: "no <kernel> | here" });
  });

  it("the Markdown has a table a case, every row as wide as its head, and the errors under it", () => {
    const text = comparisonMarkdown(comparison, "chart.svg");
    expect(text).toContain("commit abc1234, @tensorflow/tfjs 4.22.0, Chrome/150, 2 processor cores.");
    expect(text).toContain("![Milliseconds a step](chart.svg)");
    expect(text.match(/^## .*/gm)).toEqual(
      ["## mlp, batch 128", "## conv, batch 32", "## How this was measured"].map((t) => t.replace("32", "128")),
    );
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    const widths = new Set(rows.map((line) => line.split("|").length));
    expect(rows.length).toBe(2 + 2 + 2 + 1);
    expect(widths.size).toBe(1);
    expect(text).toContain("| **webvae** | 100 | 90 to 110 | 1.00 | 1.8 | 14 | 0.25 | 2.0 | 18.0 | 40 |  |");
    expect(text).toContain("tfjs-wasm: no &lt;kernel> \\| here");
  });

  it("a line on the terminal says the median, its ends and the ratio, or the error", () => {
    expect(resultLine(comparison.results[1]!)).toMatch(
      /^conv 128 jaxjs-wasm +30\.1 ms \(90 to 110, 5 repetitions\), 0\.3 x/,
    );
    expect(resultLine(failed)).toMatch(/no <kernel> \| here$/);
  });

  it("the chart names every library, its time and its fault", () => {
    const svg = comparisonChart(comparison);
    for (const text of ["mlp, batch 128", "webvae", "100 ms", "30.1 ms", "0.3 x webvae", "no &lt;kernel&gt; | here"]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
