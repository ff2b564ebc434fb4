// Which of a visitor's examples are held out for testing, and which are used if there are too many.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdOut, sampleOf, shuffled } from "../../demo/data/hold_out.js";
import { fromArray } from "../../src/datasets.js";

const ascending = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("holding out", () => {
  it("gives a permutation that depends on the seed", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), (n, seed) => {
        expect([...shuffled(n, seed)].sort((a, b) => a - b)).toEqual(ascending(n));
      }),
    );
    expect(shuffled(100, 1)).toEqual(shuffled(100, 1));
    expect(shuffled(100, 1)).not.toEqual(shuffled(100, 2));
  });

  it("puts every number in each position about equally often", () => {
    const places = ascending(10).map(() => 0);
    for (let seed = 0; seed < 2000; seed++) places[shuffled(10, seed).indexOf(3)]!++;
    // 200 each; five standard deviations are 67.
    for (const count of places) expect(Math.abs(count - 200)).toBeLessThan(67);
  });

  it.each([
    [2, 1],
    [14, 1],
    [15, 2],
    [1000, 100],
    [150_000, 10_000],
  ])("with %i examples, holds out %i, and loses none", (count, tested) => {
    const values = Float32Array.from({ length: 2 * count }, (_, i) => i >> 1);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 7);
    const { train, test } = holdOut(fromArray(values, { shape: [2], labels, name: "n" }), 5);
    expect([train.count, test.count, train.name, test.shape]).toEqual([count - tested, tested, "n", [2]]);
    const seen = new Uint8Array(count);
    for (const set of [train, test]) {
      for (let i = 0; i < set.count; i++) {
        const index = set.values[2 * i]!;
        seen[index]!++;
        if (set.values[2 * i + 1] !== index || set.labels![i] !== index % 7) expect.unreachable("rows were mixed");
      }
    }
    expect(seen.every((times) => times === 1)).toBe(true);
  });

  it("takes a sample if there are too many", () => {
    const dataset = fromArray(Uint8Array.from(ascending(100)), { shape: [1] });
    expect(sampleOf(dataset, 100, 1)).toBe(dataset);
    const sample = sampleOf(dataset, 10, 1);
    expect(sample.count).toBe(10);
    expect(new Set(sample.values).size).toBe(10);
    expect([...sample.values]).not.toEqual(ascending(10));
    expect(sampleOf(dataset, 10, 1)).toEqual(sample);
  });
});
