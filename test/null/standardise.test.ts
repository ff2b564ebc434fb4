import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromArray, standardise, type Standard } from "../../src/datasets.js";
import { fault } from "../support/fault.js";

const invalid = (pattern: RegExp) => fault("INVALID_DATA", pattern);

describe("standardise", () => {
  const rows = [
    [1, 1000, 5, -1e-3],
    [2, 3000, 5, 1e-3],
    [3, 5000, 5, 0],
  ];
  const data = fromArray(rows, { shape: [4], labels: [0, 1, 2], name: "mine" });

  it("gives every column mean 0 and deviation 1, and a constant one 0", () => {
    const { dataset, means, scales } = standardise(data);
    expect(dataset).toMatchObject({ name: "mine", shape: [4], count: 3, labels: Uint8Array.of(0, 1, 2) });
    const near = (found: ArrayLike<number>, wanted: number[]) =>
      wanted.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
    near(means, [2, 3000, 5, 0]);
    near(scales, [Math.sqrt(2 / 3), 2000 * Math.sqrt(2 / 3), 1, 1e-3 * Math.sqrt(2 / 3)]);
    expect(scales[2]).toBe(1);
    const end = Math.sqrt(1.5);
    near(dataset.values, [-end, -end, 0, -end, 0, 0, 0, end, end, end, 0, 0]);
    // The caller's data is unchanged.
    expect([...data.values.subarray(0, 3)]).toEqual([1, 1000, 5]);
  });

  it("counts bytes as value / 255", () => {
    const { means, scales, dataset, undo } = standardise(fromArray(Uint8Array.of(0, 255, 255, 255), { shape: [2] }));
    expect([...means, ...scales]).toEqual([0.5, 1, 0.5, 1]);
    expect([...dataset.values]).toEqual([-1, 0, 1, 0]);
    expect([...undo(dataset.values)]).toEqual([0, 1, 1, 1]);
  });

  it("scales a test set like the training set, by standardise's result or its JSON", () => {
    const train = standardise(data);
    const test = fromArray([[2, 3000, 6, 1]], { shape: [4] });
    const kept = { means: [...train.means], scales: [...train.scales] };
    for (const like of [train, JSON.parse(JSON.stringify(kept)) as Standard]) {
      const { dataset, means } = standardise(test, { like });
      expect(means).toEqual(train.means);
      expect([...dataset.values].slice(0, 3)).toEqual([0, 0, 1]);
    }
    expect([...train.undo(standardise(test, { like: train }).dataset.values)]).toEqual([2, 3000, 6, 1]);
  });

  it("can be undone", () => {
    const values = fc.array(
      fc.tuple(fc.float({ min: -1e6, max: 1e6 }), fc.float({ min: -1, max: 1 }), fc.constant(7)),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(
        values.filter((given) => given.flat().every(Number.isFinite)),
        (given) => {
          const { dataset, undo, scales } = standardise(fromArray(given, { shape: [3] }));
          const back = undo(dataset.values);
          given.flat().forEach((value, i) => {
            const size = Math.max(...given.map((row) => Math.abs(row[i % 3]!)), scales[i % 3]!);
            expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(1e-6 * size * 10);
          });
        },
      ),
    );
  });

  it("preserves a small spread around a large mean", () => {
    const values = Array.from({ length: 1000 }, (_, i) => [1e6 + (i % 2)]);
    const { means, scales } = standardise(fromArray(values, { shape: [1] }));
    expect([means[0], scales[0]]).toEqual([1_000_000.5, 0.5]);
  });

  it.each([
    ["no data", () => standardise(null as never), /expected a Dataset, found null/],
    [
      "too few means",
      () => standardise(data, { like: { means: [1], scales: [1] } }),
      /mine: like\.means must be 4 finite/,
    ],
    [
      "a scale of 0",
      () => standardise(data, { like: { means: [1, 2, 3, 4], scales: [1, 1, 1, 0] } }),
      /like\.scales must be 4 finite numbers above 0, one per column, not an Array of 4/,
    ],
    ["no scales", () => standardise(data, { like: { means: [1, 2, 3, 4] } as never }), /like\.scales .* not undefined/],
    ["nothing to be like", () => standardise(data, { like: null as never }), /like\.means .* not undefined/],
    [
      "another number of columns",
      () => standardise(data).undo(new Float32Array(5)),
      /undo needs floats, n x 4; found a Fl/,
    ],
    ["bytes", () => standardise(data).undo(new Uint8Array(4)), /undo needs floats/],
    [
      "what leaves 32-bit floats",
      () => standardise(data, { like: { means: [0, 0, 0, 0], scales: [1e-300, 1, 1, 1] } }),
      /standardised mine: value 0 \(row 0, column 0\) is Infinity/,
    ],
  ] as const)("refuses %s", (_, act, pattern) => {
    expect(act).toThrow(invalid(pattern));
  });
});
