import { describe, expect, it } from "vitest";
import { fromArray } from "../../src/data/arrays.js";
import { validateDataset } from "../../src/data/dataset.js";
import { fault } from "../support/fault.js";

const invalid = (pattern: RegExp) => fault("INVALID_DATA", pattern);

describe("fromArray", () => {
  it("shares bytes and floats with the caller", () => {
    const bytes = new Uint8Array(12);
    const dataset = fromArray(bytes, { shape: [2, 2, 1], labels: [0, 1, 255], name: "mine" });
    expect(dataset).toMatchObject({ name: "mine", shape: [2, 2, 1], count: 3, labels: Uint8Array.of(0, 1, 255) });
    expect(dataset.values).toBe(bytes);
    const floats = Float32Array.of(1, 2, 3, 4);
    expect(fromArray(floats, { shape: [2] }).values).toBe(floats);
  });

  it("takes canvas pixels and rows of numbers", () => {
    const pixels = new Uint8ClampedArray([1, 2, 3, 4]).subarray(2);
    expect([...fromArray(pixels, { shape: [1] }).values]).toEqual([3, 4]);
    expect(
      fromArray(
        [
          [1, 2.5],
          [3, 4],
        ],
        { shape: [2] },
      ),
    ).toMatchObject({ count: 2, values: Float32Array.of(1, 2.5, 3, 4) });
  });

  it("names the first value that is not finite", () => {
    const floats = Float32Array.of(0, 1, 2, NaN, Infinity, 5);
    expect(() => fromArray(floats, { shape: [2] })).toThrow(invalid(/value 3 \(row 1, column 1\) is NaN/));
    expect(() =>
      fromArray(
        [
          [0, 1],
          [-Infinity, 0],
        ],
        { shape: [2] },
      ),
    ).toThrow(invalid(/value 2 \(row 1, column 0\) is -Infinity/));
    expect(() => fromArray([[1e39]], { shape: [1] })).toThrow(invalid(/is 1e\+39, not a finite 32-bit float/));
    expect(() => fromArray([[undefined as unknown as number]], { shape: [1] })).toThrow(invalid(/is undefined/));
  });

  it.each([
    ["no examples", () => fromArray(new Uint8Array(), { shape: [2] }), /no examples/],
    ["no rows", () => fromArray([], { shape: [2] }), /no examples/],
    [
      "a remainder",
      () => fromArray(new Uint8Array(7), { shape: [2, 1] }),
      /7 values do not divide into examples of 2x1 = 2/,
    ],
    ["uneven rows", () => fromArray([[1, 2], [3]], { shape: [2] }), /row 1 has 1 values, but the shape has 2/],
    ["an empty shape", () => fromArray(new Uint8Array(2), { shape: [] }), /shape must be positive integers/],
    ["a shape with 0", () => fromArray(new Uint8Array(2), { shape: [2, 0] }), /not \[2, 0\]/],
    ["a fraction in the shape", () => fromArray(new Uint8Array(2), { shape: [0.5] }), /not \[0\.5\]/],
    ["too few labels", () => fromArray(new Uint8Array(4), { shape: [2], labels: [1] }), /1 labels for 2 examples/],
    ["a label of 256", () => fromArray(new Uint8Array(4), { shape: [2], labels: [1, 256] }), /label 1 is 256/],
    [
      "another type",
      () => fromArray("abc" as unknown as Uint8Array, { shape: [1] }),
      /expected a typed array of numbers, .* found "abc"/,
    ],
  ])("refuses %s", (_, make, pattern) => {
    expect(make).toThrow(invalid(pattern));
  });
});

describe("validateDataset", () => {
  const good = { name: "d", shape: [2], count: 2, values: Float32Array.of(1, 2, 3, 4) };

  it("passes a good one", () => {
    expect(() => validateDataset(good)).not.toThrow();
  });

  it.each([
    ["count", { ...good, count: 3 }, /3 examples of 2 take 6 values, got 4/],
    ["no examples", { ...good, count: 0, values: new Float32Array() }, /count must be a positive integer, not 0/],
    ["values", { ...good, values: [1, 2, 3, 4] as unknown as Float32Array }, /values must be/],
    ["a hole", { ...good, values: Float32Array.of(1, 2, 3, NaN) }, /value 3 \(row 1, column 1\) is NaN/],
    ["labels", { ...good, labels: Uint8Array.of(1) }, /1 labels for 2/],
  ])("refuses wrong %s", (_, dataset, pattern) => {
    expect(() => validateDataset(dataset)).toThrow(invalid(pattern));
  });
});
