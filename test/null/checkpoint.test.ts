// Saved models that are damaged, or of another version, or for something else: nothing is built from them.
import { describe, expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../src/checkpoint.js";
import { fromHalf, toHalf } from "../../src/half.js";
import { batchNorm, dense, type ModelSpec } from "../../src/index.js";
import { defineModel } from "../../src/parameters.js";
import { resolved } from "../../src/prepare.js";
import { asFloat32, readSafetensors, writeSafetensors, type NamedTensor } from "../../src/safetensors.js";
import { size } from "../../src/tensor.js";
import { fault } from "../support/fault.js";

const spec: ModelSpec = {
  input: [3],
  encoder: [dense(4), batchNorm({ activation: "relu" })],
  latent: 2,
  decoder: [dense(5, { activation: "tanh" }), dense(3)],
  likelihood: { type: "gaussian", variance: "learned" },
};
const model = defineModel(await resolved(spec));
/** Values that differ, all exact in f16 too. */
const flat = (length: number) => Float32Array.from({ length }, (_, i) => ((i % 97) - 48) / 64);
const weights = flat(size(model.params.storage));
const statistics = flat(size(model.running.storage));
const whole = writeCheckpoint({ model, weights, statistics });

interface Parts {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string | undefined>>;
}

/** `file` with its parts changed; metadata that become undefined are left out. */
function changed(file: Uint8Array, change: (parts: Parts) => Partial<Parts>): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  const parts = {
    tensors: [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
    metadata: Object.fromEntries(metadata),
  };
  const after: Parts = { ...parts, ...change(parts) };
  const texts = Object.entries(after.metadata).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, text] as const],
  );
  return writeSafetensors(after.tensors, texts);
}

const withMetadata = (file: Uint8Array, more: Parts["metadata"]) =>
  changed(file, ({ metadata }) => ({ metadata: { ...metadata, ...more } }));

describe("the version of the format", () => {
  test("is in every file, and a file without one is read as before there was any", async () => {
    expect(readSafetensors(whole).metadata.get("format_version")).toBe("1");
    const old = withMetadata(whole, { format_version: undefined });
    expect(old.length).toBeLessThan(whole.length);
    for (const file of [whole, old, withMetadata(whole, { format_version: "0" })]) {
      const read = await readCheckpoint(file);
      expect(writeCheckpoint(read)).toEqual(whole);
    }
  });

  test.each(["2", "10", "999999999"])("%s is refused, whatever else is in the file", async (version) => {
    const says = new RegExp(`version ${version}, .*up to 1; update webvae`);
    const newer = withMetadata(whole, { format_version: version });
    await expect(readCheckpoint(newer)).rejects.toThrow(fault("INVALID_FILE", says));
    const other = withMetadata(newer, { model_spec: undefined });
    await expect(readCheckpoint(other)).rejects.toThrow(fault("INVALID_FILE", says));
    await expect(readCheckpoint(other, model)).rejects.toThrow(fault("INVALID_FILE", says));
  });

  test.each(["", "1.0", "01", "-1", "one", "1e0", " 1", "9".repeat(100_000)])("%j is no version", async (version) => {
    const error: unknown = await readCheckpoint(withMetadata(whole, { format_version: version })).catch(
      (e: unknown) => e,
    );
    expect(error).toEqual(fault("INVALID_FILE", /format_version is ".*", not a whole number/));
    expect(String(error).length).toBeLessThan(300);
  });
});

describe("a part of a model", () => {
  const names = (file: Uint8Array) => [...readSafetensors(file).tensors.keys()].sort();
  const parts = ["encoder", "decoder"] as const;

  test("has its layers' tensors, and the heads or the likelihood's; the parts have everything once", () => {
    const [encoder = [], decoder = []] = parts.map((part) =>
      names(writeCheckpoint({ model, weights, statistics }, { part })),
    );
    const heads = ["mean.weight", "mean.bias", "log_variance.weight", "log_variance.bias"];
    const norm = ["gamma", "beta", "running_mean", "running_variance"].map((name) => `encoder.1.${name}`);
    expect(encoder).toEqual(["encoder.0.bias", "encoder.0.weight", ...norm, ...heads].sort());
    expect(decoder).toContain("log_sigma");
    expect(decoder.filter((name) => !name.startsWith("decoder."))).toEqual(["log_sigma"]);
    expect([...encoder, ...decoder].sort()).toEqual(names(whole));
  });

  test.each(parts)("%s: read, it is a model of nothing else, with the same values", async (part) => {
    const file = writeCheckpoint({ model, weights, statistics }, { part });
    const read = await readCheckpoint(file);
    expect(read.model.only?.part).toBe(part);
    expect(read.model.resolved.spec).toEqual(spec);
    expect(read.weights.length).toBeLessThan(weights.length);
    expect(size(read.model.gradients.storage)).toBe(read.weights.length);
    expect(writeCheckpoint(read, { part })).toEqual(file);
    const all = readSafetensors(whole).tensors;
    for (const [name, tensor] of readSafetensors(file).tensors) expect([name, tensor]).toEqual([name, all.get(name)]);
    // The option spec is that of the whole model.
    expect((await readCheckpoint(file, model)).weights).toEqual(read.weights);
    const other = defineModel(await resolved({ ...spec, latent: 3 }));
    await expect(readCheckpoint(file, other)).rejects.toThrow(fault("SPEC_MISMATCH", /latent is 2 in the file/));
  });

  const decoder = writeCheckpoint({ model, weights, statistics }, { part: "decoder" });
  const state = JSON.stringify({ seed: 1, step: 1, epoch: 0, epochStep: 1 });
  const cases: [string, Uint8Array, "INVALID_FILE" | "SPEC_MISMATCH", RegExp][] = [
    ["an unknown part", withMetadata(decoder, { model_part: "heads" }), "INVALID_FILE", /model_part is "heads", not/],
    ["an empty one", withMetadata(decoder, { model_part: "" }), "INVALID_FILE", /model_part is ""/],
    ["an inherited name", withMetadata(decoder, { model_part: "__proto__" }), "INVALID_FILE", /"__proto__"/],
    ["a long one", withMetadata(decoder, { model_part: "x".repeat(1e6) }), "INVALID_FILE", /"x{80}", not/],
    ["no word of its part", withMetadata(decoder, { model_part: undefined }), "SPEC_MISMATCH", /no tensor encoder\.0/],
    ["the other part", withMetadata(decoder, { model_part: "encoder" }), "SPEC_MISMATCH", /no tensor mean\.weight/],
    [
      "both parts",
      withMetadata(whole, { model_part: "decoder" }),
      "SPEC_MISMATCH",
      /the decoder has no tensor "encoder\.0\.weight"/,
    ],
    ["a training state", withMetadata(decoder, { training_state: state }), "INVALID_FILE", /only the model's decoder/],
    [
      "a tensor too few",
      changed(decoder, ({ tensors }) => ({ tensors: tensors.filter(({ name }) => name !== "log_sigma") })),
      "SPEC_MISMATCH",
      /^the file has no tensor log_sigma \[1\]$/,
    ],
    ["no spec", withMetadata(decoder, { model_spec: undefined }), "INVALID_FILE", /no model_spec/],
  ];
  test.each(cases)("with %s is refused", async (_, file, code, says) => {
    const error: unknown = await readCheckpoint(file).catch((thrown: unknown) => thrown);
    expect(error).toEqual(fault(code, says));
    expect(String(error).length).toBeLessThan(1000);
  });
});

describe("f16", () => {
  const half = writeCheckpoint({ model, weights, statistics }, { precision: "f16" });
  const tensorsOf = (file: Uint8Array) => [...readSafetensors(file).tensors];

  test("has every weight in two bytes and statistics in four, and is read as the rounded values", async () => {
    const isStatistic = (name: string) => name.includes("running_");
    for (const [name, { dtype }] of tensorsOf(half))
      expect([name, dtype]).toEqual([name, isStatistic(name) ? "F32" : "F16"]);
    expect(
      tensorsOf(half)
        .map(([name]) => name)
        .sort(),
    ).toEqual(
      tensorsOf(whole)
        .map(([name]) => name)
        .sort(),
    );
    // These are exact.
    expect(writeCheckpoint(await readCheckpoint(half))).toEqual(whole);
    const odd = {
      model,
      weights: weights.map((value) => value / 3),
      statistics: statistics.map((value) => value / 3e9),
    };
    const rounded = new Map(
      tensorsOf(writeCheckpoint(await readCheckpoint(writeCheckpoint(odd, { precision: "f16" })))),
    );
    for (const [name, tensor] of tensorsOf(writeCheckpoint(odd))) {
      const before = asFloat32(tensor);
      const after = asFloat32(rounded.get(name)!);
      expect([name, after]).toEqual([name, isStatistic(name) ? before : fromHalf(toHalf(before))]);
    }
  });

  test("is refused for a value beyond its range, which is named", () => {
    const of = (value: number) => {
      const large = weights.slice();
      // The last weight is log_sigma's.
      const at = size(model.params.storage) - 128;
      large[at] = value;
      return writeCheckpoint({ model, weights: large, statistics }, { precision: "f16" });
    };
    for (const value of [65520, -1e6, 2 ** 60, NaN]) {
      expect(() => of(value)).toThrow(
        fault("INVALID_OPTION", new RegExp(`"f16" cannot hold log_sigma, .* index 0 of 1 is ${value};.* 65504`)),
      );
    }
    expect(tensorsOf(of(65519)).length).toBe(tensorsOf(half).length);
  });

  /** The file with one tensor's data, dtype or name changed. */
  const withTensor = (file: Uint8Array, which: string, change: (tensor: NamedTensor) => Partial<NamedTensor>) =>
    changed(file, ({ tensors }) => ({
      tensors: tensors.map((tensor) => (tensor.name === which ? { ...tensor, ...change(tensor) } : tensor)),
    }));
  const moments = { moment1: flat(weights.length), moment2: flat(weights.length) };
  const progress = { seed: 1, step: 2, epoch: 1, epochStep: 0 };
  const running = writeCheckpoint({ model, weights, statistics, training: { ...moments, progress, schedules: {} } });
  const rounded = (name: string) =>
    withTensor(running, name, ({ data }) => ({
      dtype: "F16",
      data: new Uint8Array(data.byteLength / 2),
    }));
  const cases: [string, Uint8Array, "INVALID_FILE" | "NON_FINITE" | "SPEC_MISMATCH", RegExp][] = [
    [
      "an infinity",
      withTensor(half, "log_sigma", () => ({ data: Uint16Array.of(0x7c00) })),
      "NON_FINITE",
      /^log_sigma is Infinity at index 0 of 1$/,
    ],
    ["a NaN", withTensor(half, "log_sigma", () => ({ data: Uint16Array.of(0xfc01) })), "NON_FINITE", /NaN/],
    ["BF16", withTensor(half, "log_sigma", () => ({ dtype: "BF16" })), "INVALID_FILE", /must be F32 or F16, not BF16/],
    ["I16", withTensor(half, "log_sigma", () => ({ dtype: "I16" })), "INVALID_FILE", /must be F32 or F16, not I16/],
    [
      "another shape",
      withTensor(half, "decoder.0.bias", () => ({ shape: [1, 5] })),
      "SPEC_MISMATCH",
      /decoder\.0\.bias has shape \[1, 5\]/,
    ],
    [
      "a training state",
      rounded("decoder.0.weight"),
      "INVALID_FILE",
      /training state, but "decoder\.0\.weight" is not F32/,
    ],
    ["a moment", rounded("optimizer.moment2.log_sigma"), "INVALID_FILE", /"optimizer\.moment2\.log_sigma" is not F32/],
  ];
  test.each(cases)("%s in it is refused", async (_, file, code, says) => {
    await expect(readCheckpoint(file)).rejects.toThrow(fault(code, says));
  });
});
