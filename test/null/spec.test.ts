import { activations } from "../../src/tensor.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebvaeError } from "../../src/errors.js";
import { product } from "../../src/checks.js";
import { dense, flatten, reshape, type Layer } from "../../src/layers/json.js";
import { dataTensor } from "../../src/ops/gather.js";
import { defineModel, flats, type Model } from "../../src/parameters.js";
import { plan } from "../../src/plan.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import { evaluationGraph, samplingGraph, trainingGraph } from "../../src/vae.js";
import { planFaults } from "../support/plan_faults.js";
import { SEED } from "../support/sizes.js";

const good: ModelSpec = {
  input: [4, 4, 1],
  encoder: [flatten(), dense(8, { activation: "relu" })],
  latent: 2,
  decoder: [dense(16, { activation: "tanh" }), reshape(2, 2, 4), dense(16), reshape(4, 4, 1)],
  likelihood: "bernoulli",
};

describe("a valid spec", () => {
  it("with only dense layers keeps images flat, and its dense layers make the shapes of the reshapes that follow", () => {
    expect(resolveSpec(good)).toMatchObject({
      inputSize: 16,
      layout: [16],
      features: [8],
      encoder: [{ type: "dense", path: "encoder.1", input: [16], output: [8], activation: "relu" }],
      decoder: [
        { type: "dense", path: "decoder.0", input: [2], output: [2, 2, 4], activation: "tanh" },
        { type: "dense", path: "decoder.2", input: [2, 2, 4], output: [16], activation: "none" },
      ],
    });
  });

  it("survives JSON", () => {
    expect(resolveSpec(JSON.parse(JSON.stringify(good)))).toEqual(resolveSpec(good));
    expect(resolveSpec(good).spec).toEqual(good);
  });
});

describe("an error names the place and the value found", () => {
  const partial: Partial<Record<keyof ModelSpec, unknown>> = { ...good };
  delete partial.likelihood;
  it.each<[string, unknown, string[]]>([
    ["no spec", undefined, ["the model spec", "undefined"]],
    ["a likelihood missing", partial, ["likelihood", "undefined"]],
    ["an unknown key", { ...good, latents: 3 }, ['unknown key "latents"', "latent,"]],
    ["a size of zero", { ...good, input: [4, 0, 1] }, ["input[1]", "0"]],
    ["a fraction", { ...good, latent: 1.5 }, ["latent", "1.5"]],
    ["too many sizes", { ...good, input: [1, 2, 3, 4] }, ["input", "[1,2,3,4]"]],
    ["an unknown layer", { ...good, encoder: [{ type: "conv9d" }] }, ["encoder.0", '"conv9d"', "dense"]],
    [
      "an unknown activation",
      { ...good, encoder: [{ type: "dense", units: 3, activation: "rely" }] },
      ["encoder.0 (dense): activation", '"rely"', "relu"],
    ],
    ["units missing", { ...good, encoder: [{ type: "dense" }] }, ["encoder.0 (dense): units", "undefined"]],
    [
      "a reshape that doesn't fit",
      { ...good, decoder: [dense(12), reshape(4, 4, 1)] },
      ["decoder.1 (reshape)", "[4, 4, 1] (16 values)", "[12] (12 values)"],
    ],
    ["a decoder that ends elsewhere", { ...good, decoder: [dense(15)] }, ["decoder", "[15]", "[4, 4, 1]"]],
    ["no decoder", { ...good, latent: 16, decoder: [] }, ["decoder", "dense"]],
    [
      "an activation on logits",
      { ...good, decoder: [dense(16, { activation: "sigmoid" })] },
      ["decoder.0", '"sigmoid"', "logits"],
    ],
    ["a variance of zero", { ...good, likelihood: { type: "gaussian", variance: 0 } }, ["variance", "0"]],
    ["another likelihood", { ...good, likelihood: { type: "cauchy", variance: 1 } }, ["likelihood", '"cauchy"']],
    ["more weights than fit", { ...good, encoder: [dense(2 ** 20), dense(2 ** 20)] }, ["encoder.1", `${2 ** 30}`]],
  ])("%s", (_name, spec, parts) => {
    try {
      resolveSpec(spec);
    } catch (error) {
      expect(error).toBeInstanceOf(WebvaeError);
      expect((error as WebvaeError).code).toBe("INVALID_SPEC");
      for (const part of parts) expect((error as WebvaeError).message).toContain(part);
      return;
    }
    throw new Error("it was accepted");
  });
});

describe("any input", () => {
  /** Either a spec that defines a model, or INVALID_SPEC, and nothing else. */
  const law = (value: unknown): Model | undefined => {
    try {
      return defineModel(resolveSpec(value));
    } catch (error) {
      if (error instanceof WebvaeError && error.code === "INVALID_SPEC") return undefined;
      throw error;
    }
  };
  const options = { seed: SEED, numRuns: 3000 };

  it("any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => void law(value)),
      options,
    );
    const circle: unknown[] = [];
    circle.push(circle);
    for (const odd of [
      circle,
      { ...good, encoder: circle },
      NaN,
      Infinity,
      1n,
      Symbol("x"),
      () => 1,
      new Map(),
      null,
      [],
      "bernoulli",
    ])
      law(odd);
  });

  it("almost a spec", () => {
    const size = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.jsonValue({ maxDepth: 1 }));
    const shape = fc.oneof({ weight: 9, arbitrary: fc.array(size, { minLength: 1, maxLength: 3 }) }, fc.jsonValue());
    const likelihood = fc.oneof(
      fc.constantFrom("bernoulli", { type: "gaussian", variance: "learned" }, { type: "gaussian", variance: 1 }),
      fc.jsonValue(),
    );
    const layers = fc.array(layerOf(size, shape), { maxLength: 3 });
    const spec = fc.record({ input: shape, encoder: layers, latent: size, decoder: layers, likelihood });
    let accepted = 0;
    fc.assert(
      fc.property(spec, fc.integer({ min: 1, max: 6 }), (value, units) => {
        if (law(value)) accepted++;
        // The same with an end that often fits.
        if (law({ ...value, input: [units], decoder: [{ type: "dense", units }] })) accepted++;
      }),
      options,
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("a spec with whole numbers and a fitting end: if accepted, it can be planned", () => {
    const size = fc.integer({ min: 1, max: 6 });
    const kinds = new Map<string, number>();
    const count = (layers: readonly Layer[]): void => {
      for (const layer of layers) {
        kinds.set(layer.type, (kinds.get(layer.type) ?? 0) + 1);
        if (layer.type === "residual") count(layer.layers);
      }
    };
    const layers = fc.array(layerOf(size, fc.array(size, { minLength: 1, maxLength: 3 })), { maxLength: 3 });
    const image = fc.tuple(size, size, size);
    fc.assert(
      fc.property(image, layers, size, image, layers, fc.boolean(), (input, encoder, latent, from, decoder, conv) => {
        const start = [
          { type: "dense", units: product(from) },
          { type: "reshape", shape: from },
        ];
        const flat = [{ type: "dense", units: product(input) }];
        const likelihood = { type: "gaussian", variance: "learned" };
        const rest = { input, encoder, latent, likelihood };
        // A convolution fits at the end of a decoder whose image has the input's sides.
        const end = conv ? [{ type: "conv2d", filters: input[2], kernel: 2 }] : flat;
        for (const value of [
          { ...rest, decoder: [...start, ...decoder, ...end] },
          { ...rest, decoder: [{ type: "dense", units: product(input) }, { type: "reshape", shape: input }, ...end] },
        ]) {
          const model = law(value);
          if (!model) continue;
          count(model.resolved.spec.encoder);
          count(model.resolved.spec.decoder);
          const data = dataTensor("floats", 5, product(input));
          const training = trainingGraph(model, data, { batch: 2, shuffle: true }, adam);
          for (const graph of [training, evaluationGraph(model, data, { batch: 2 }), samplingGraph(model, 2, true)]) {
            expect(planFaults(plan(graph, { flats: flats(model) }))).toEqual([]);
          }
        }
      }),
      { seed: SEED, numRuns: 4000 },
    );
    expect(Object.fromEntries(kinds)).toSatisfy((found: Record<string, number>) =>
      layerTypes.every((type) => (found[type] ?? 0) > 30),
    );
  });
});

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, clipNorm: 1 };
const layerTypes = [
  ...["dense", "conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "upsample2d", "batch_norm", "group_norm"],
  ...["dropout", "residual", "flatten", "reshape"],
];

type Keys = Record<string, fc.Arbitrary<unknown>>;

/** Any layer with any subset of its options, whose values often fit. */
function layerOf(size: fc.Arbitrary<unknown>, shape: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const often = <T>(value: T, other: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
  const pair = fc.oneof({ weight: 3, arbitrary: size }, fc.tuple(size, size));
  const zero = fc.oneof(fc.constant(0), pair);
  const padding = fc.oneof(
    fc.constantFrom("same", "valid", 0, 1),
    fc.tuple(...[0, 1, 2, 3].map(() => fc.oneof(fc.constant(0), size))),
  );
  const activation = fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...activations) }, fc.constant("x"));
  const small = fc.constantFrom(0, 1e-3, 0.1, 0.5, 0.9, 0.99, 1);
  const { layer } = fc.letrec<{ layer: unknown }>((tie) => {
    const of = (type: string, needs: Keys, may: Keys = {}) => {
      const optional = fc.record(may, { requiredKeys: [] });
      return fc.tuple(fc.record(needs), optional).map(([must, can]) => ({ type, ...must, ...can }));
    };
    const inside = fc.array(tie("layer"), { maxLength: 2 });
    // Layers that keep the shape, so that some residual layers fit.
    const same = fc.constantFrom({ type: "dropout", rate: 0.5 }, { type: "batch_norm" }, { type: "flatten" });
    return {
      layer: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constant({ type: "flatten" }),
        of("dense", { units: size }, { activation }),
        of("conv2d", { filters: size, kernel: pair }, { stride: pair, padding, activation }),
        of(
          "conv_transpose2d",
          { filters: size, kernel: pair },
          { stride: pair, padding, outputPadding: zero, activation },
        ),
        of("max_pool2d", { window: pair }, { stride: pair, padding }),
        of("avg_pool2d", { window: pair }, { stride: pair, padding }),
        of(
          "upsample2d",
          { factor: pair },
          { mode: fc.constantFrom("nearest", "bilinear", "nearest", "bilinear", "x") },
        ),
        of("batch_norm", {}, { momentum: small, epsilon: small, activation }),
        of("group_norm", { groups: often(1, size) }, { epsilon: small, activation }),
        of("dropout", { rate: small }),
        of("residual", { layers: fc.oneof(fc.array(same, { maxLength: 2 }), inside) }, { activation }),
        of("reshape", { shape }),
        fc.jsonValue(),
      ),
    };
  });
  return layer;
}
