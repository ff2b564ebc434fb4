import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebvaeError } from "../../src/errors.js";
import { activations, dense, flatten, reshape } from "../../src/layers.js";
import { resolveSpec, type ModelSpec } from "../../src/spec.js";
import { defineModel } from "../../src/parameters.js";
import { SEED } from "../support/sizes.js";

const good: ModelSpec = {
  input: [4, 4, 1],
  encoder: [flatten(), dense(8, { activation: "relu" })],
  latent: 2,
  decoder: [dense(16, { activation: "tanh" }), reshape(2, 2, 4), dense(16), reshape(4, 4, 1)],
  likelihood: "bernoulli",
};

describe("a spec that chains", () => {
  it("of dense layers alone holds its images flat, and its dense layers end in the shapes that follow", () => {
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

describe("an error names the place, and what was found", () => {
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

describe("whatever it is given", () => {
  /** A spec that defines a model, or INVALID_SPEC, and no third thing. */
  const law = (value: unknown): boolean => {
    try {
      defineModel(resolveSpec(value));
      return true;
    } catch (error) {
      if (error instanceof WebvaeError && error.code === "INVALID_SPEC") return false;
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
    const layer = fc.oneof(
      { weight: 5, arbitrary: fc.record({ type: fc.constant("dense"), units: size }) },
      fc.record({ type: fc.constant("dense"), units: size, activation: fc.constantFrom(...activations, "x") }),
      fc.record({ type: fc.constant("flatten") }),
      fc.record({ type: fc.constant("reshape"), shape }),
      fc.jsonValue(),
    );
    const likelihood = fc.oneof(
      fc.constantFrom("bernoulli", { type: "gaussian", variance: "learned" }, { type: "gaussian", variance: 1 }),
      fc.jsonValue(),
    );
    const layers = fc.array(layer, { maxLength: 3 });
    const spec = fc.record({ input: shape, encoder: layers, latent: size, decoder: layers, likelihood });
    let accepted = 0;
    fc.assert(
      fc.property(spec, fc.integer({ min: 1, max: 6 }), (value, units) => {
        if (law(value)) accepted++;
        // The same with an ending that often fits.
        if (law({ ...value, input: [units], decoder: [{ type: "dense", units }] })) accepted++;
      }),
      options,
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
