// Saved models that are damaged, or of another version, or for something else: nothing is built from them.
import { describe, expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../src/checkpoint.js";
import { batchNorm, dense, type ModelSpec } from "../../src/index.js";
import { defineModel } from "../../src/parameters.js";
import { resolved } from "../../src/prepare.js";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../../src/safetensors.js";
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
