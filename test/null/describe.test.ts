// describe: shapes, parameters and operations of models, compared with hand calculations and with training's
// allocations.
import { describe as suite, expect, it } from "vitest";
import { describe } from "../../src/describe.js";
import {
  batchNorm,
  conv2d,
  convTranspose2d,
  dense,
  dropout,
  flatten,
  models,
  reshape,
  residual,
  type ModelName,
  type ModelSpec,
} from "../../src/index.js";
import { defineModel } from "../../src/parameters.js";
import { resolveSpec } from "../../src/spec.js";
import { size } from "../../src/tensor.js";
import { fault } from "../support/fault.js";

suite("a model described", () => {
  it("has one line per layer: conv, with Keras's numbers", () => {
    const { layers, parameters, flops } = describe(models.conv([28, 28, 1], 2));
    // model.summary() of the Keras example: encoder 69,076, decoder 65,089.
    expect(parameters).toBe(69_076 + 65_089);
    expect(layers.map(({ place, type, output }) => [place, type, output.join("x")])).toEqual([
      ["encoder.0", "conv2d", "14x14x32"],
      ["encoder.1", "conv2d", "7x7x64"],
      ["encoder.2", "flatten", "3136"],
      ["encoder.3", "dense", "16"],
      ["heads", "mean, log_variance", "2x2"],
      ["decoder.0", "dense", "3136"],
      ["decoder.1", "reshape", "7x7x64"],
      ["decoder.2", "conv_transpose2d", "14x14x64"],
      ["decoder.3", "conv_transpose2d", "28x28x32"],
      ["decoder.4", "conv_transpose2d", "28x28x1"],
    ]);
    expect(layers.map((layer) => layer.parameters)).toEqual(
      [320, 18_496, 0, 50_192, 68, 9408, 0, 36_928, 18_464, 289], // prettier-ignore
    );
    expect(layers.map((layer) => layer.flops)).toEqual(
      [
        ...[14 * 14 * 32 * 9, 7 * 7 * 64 * 9 * 32, 0, 3136 * 16, 16 * 4],
        ...[2 * 3136, 0, 7 * 7 * 64 * 9 * 64, 14 * 14 * 64 * 9 * 32, 28 * 28 * 32 * 9],
      ].map((products) => 2 * products),
    );
    expect(flops).toBe(layers.reduce((sum, layer) => sum + layer.flops, 0));
  });

  it.each(Object.keys(models) as ModelName[])("counts every parameter of %s once", (name) => {
    const spec = models[name](name === "points" ? [2] : name === "conv64" ? [64, 64, 3] : [28, 28, 1], 7);
    const all = defineModel(resolveSpec(spec)).parameters;
    const found = describe(spec);
    expect(found.parameters).toBe(all.reduce((sum, { tensor }) => sum + size(tensor.shape), 0));
    expect(found.layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(found.parameters);
  });

  it("includes the layers inside residuals, norms and a learned sigma", () => {
    const { layers, parameters } = describe({
      input: [4, 4, 2],
      encoder: [residual([conv2d(2, 3), batchNorm()]), flatten()],
      latent: 3,
      decoder: [dense(32), reshape(4, 4, 2), convTranspose2d(2, 1)],
      likelihood: { type: "gaussian", variance: "learned" },
    });
    expect(layers.map((layer) => [layer.place, layer.type, layer.parameters])).toEqual([
      ["encoder.0.0", "conv2d", 38],
      ["encoder.0.1", "batch_norm", 4],
      ["encoder.0", "residual", 0],
      ["encoder.1", "flatten", 0],
      ["heads", "mean, log_variance", 2 * 3 * 33],
      ["decoder.0", "dense", 128],
      ["decoder.1", "reshape", 0],
      ["decoder.2", "conv_transpose2d", 6],
      ["", "learned sigma", 1],
    ]);
    expect(parameters).toBe(38 + 4 + 198 + 128 + 6 + 1);
  });

  const label = { type: "label", classes: 5 } as const;
  const mixture = { type: "mixture", components: 3 } as const;
  const conditional: [string, ModelSpec][] = [
    ["dense layers", models.mlp([4, 4, 1], 2)],
    ["a dense layer after others", { ...models.mlp([4, 4, 1], 2), encoder: [dropout(0.1), flatten(), dense(8)] }],
    ["no layer in the encoder", models.minimal([6], 2)],
    ["convolutions", models.conv([8, 8, 1], 2)],
    ["an image without a dense layer", { ...models.conv([8, 8, 1], 2), encoder: [conv2d(3, 3), flatten()] }],
  ];
  it.each(conditional)("counts what a condition and a prior add to %s", (_, spec) => {
    for (const more of [{ condition: label }, { prior: mixture }, { condition: label, prior: mixture }]) {
      const whole = { ...spec, ...more };
      const resolved = resolveSpec(whole);
      const { layers, parameters } = describe(whole);
      const all = defineModel(resolved).parameters;
      expect(parameters).toBe(all.reduce((sum, { tensor }) => sum + size(tensor.shape), 0));
      expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(parameters);
      // A product of each weight, without the bias.
      for (const { type, input, output, parameters: count, flops } of layers) {
        if (type !== "dense") continue;
        const [from, to] = [input, output].map((shape) => shape.reduce((product, side) => product * side, 1));
        expect([count, flops]).toEqual([(from! + 1) * to!, 2 * from! * to!]);
      }
      expect(layers.find(({ place }) => place === "heads")?.input).toEqual(resolved.features);
    }
  });

  it("has a line for a condition and one for a prior", () => {
    const { text, layers } = describe({ ...models.mlp([28, 28, 1], 20), condition: label, prior: mixture });
    expect(text).toBe(
      [
        "layer      type                output       parameters      FLOPs",
        "           input               [28, 28, 1]",
        "condition  label               [5]                   0          0",
        "encoder.0  dense               [400]           316,000    631,200",
        "heads      mean, log_variance  [2, 20]          16,040     32,000",
        "decoder.0  dense               [400]            10,400     20,000",
        "decoder.1  dense               [784]           314,384    627,200",
        "prior      mixture             [20]                120          0",
        "           all                 [28, 28, 1]     656,944  1,310,400",
      ].join("\n"),
    );
    expect(layers.map(({ input }) => input)).toEqual([[], [789], [400], [25], [400], []]);
  });

  it("is a table with aligned columns", () => {
    expect(describe(models.mlp([28, 28, 1], 20)).text).toBe(
      [
        "layer      type                output       parameters      FLOPs",
        "           input               [28, 28, 1]",
        "encoder.0  dense               [400]           314,000    627,200",
        "heads      mean, log_variance  [2, 20]          16,040     32,000",
        "decoder.0  dense               [400]             8,400     16,000",
        "decoder.1  dense               [784]           314,384    627,200",
        "           all                 [28, 28, 1]     652,824  1,302,400",
      ].join("\n"),
    );
  });

  it("survives JSON", () => {
    const found = describe(models.minimal([4], 1));
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it("rejects invalid models", () => {
    expect(() => describe({ ...models.mlp([4], 1), latent: 0 })).toThrow(fault("INVALID_SPEC", /latent/));
  });
});
