import { describe, expect, it } from "vitest";
import { gaussians, MIXTURES } from "../../src/data/gaussians.js";
import { fault } from "../support/fault.js";

/** Mean and covariance [xx, xy, yy] of the points with this label. */
function moments(points: ArrayLike<number>, labels: Uint8Array, label: number) {
  const xs: number[] = [];
  const ys: number[] = [];
  labels.forEach((l, i) => {
    if (l !== label) return;
    xs.push(points[2 * i]!);
    ys.push(points[2 * i + 1]!);
  });
  const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const covariance = (a: number[], ma: number, b: number[], mb: number) =>
    mean(a.map((v, i) => (v - ma) * (b[i]! - mb)));
  return {
    count: xs.length,
    mean: [mx, my],
    covariance: [covariance(xs, mx, xs, mx), covariance(xs, mx, ys, my), covariance(ys, my, ys, my)],
  };
}

describe("gaussians", () => {
  it("draws the overlapping mixture: means (1, 1) and (1.5, 0.5), covariance [[1, 0.5], [0.5, 1]]", () => {
    const { values, labels, shape, count } = gaussians({ split: "train", count: 40_000, seed: 3 });
    expect({ shape, count }).toEqual({ shape: [2], count: 40_000 });
    // Standard errors at 20,000 points: 0.007 for a mean, 0.01 for a variance. Five of them.
    for (const [label, mean] of [
      [1, 1],
      [1.5, 0.5],
    ].entries()) {
      const found = moments(values, labels!, label);
      expect(Math.abs(found.count - 20_000)).toBeLessThan(500);
      mean.forEach((m, axis) => expect(Math.abs(found.mean[axis]! - m)).toBeLessThan(0.035));
      [1, 0.5, 1].forEach((c, k) => expect(Math.abs(found.covariance[k]! - c)).toBeLessThan(0.05));
    }
  });

  it.each(["separated", "ring"] as const)("keeps the components of %s apart", (variant) => {
    const { values, labels } = gaussians({ split: "test", count: 2000, seed: 3, variant });
    const { means } = MIXTURES[variant];
    expect(new Set(labels)).toEqual(new Set(means.keys()));
    labels!.forEach((label, i) => {
      const distances = means.map(([x, y]) => Math.hypot(values[2 * i]! - x, values[2 * i + 1]! - y));
      expect(distances.indexOf(Math.min(...distances))).toBe(label);
    });
  });

  it("depends only on seed, split and index", () => {
    const make = (count: number, seed = 1, split: "train" | "test" = "train") => gaussians({ split, count, seed });
    const long = make(100);
    expect(make(10).values).toEqual(long.values.subarray(0, 20));
    expect(make(100, 2).values).not.toEqual(long.values);
    const other = new Set(make(100, 1, "test").values);
    expect([...long.values].some((value) => other.has(value))).toBe(false);
  });

  it.each([
    [{ count: 0 }, /count/],
    [{ count: 1.5 }, /count/],
    [{ seed: -1 }, /seed/],
    [{ split: "validation" as "test" }, /split/],
    [{ variant: "toString" as "ring" }, /variant must be one of overlapping, separated, ring, not "toString"/],
  ])("refuses %o", (wrong, message) => {
    expect(() => gaussians({ split: "train", count: 1, seed: 0, ...wrong })).toThrow(fault("INVALID_OPTION", message));
  });
});
