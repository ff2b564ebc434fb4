import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readDataDir } from "../../cli/data_dir.js";
import type { Dataset } from "../../src/data/dataset.js";
import { DIGIT_STYLES } from "../../src/data/digit_strokes.js";
import { digits } from "../../src/data/digits.js";
import { localMnist } from "../support/idx.js";
import { processorMs } from "../support/turns.js";

const PIXELS = 28 * 28;
/** varianceWithin of MNIST's first 10,000 training images. */
const MNIST_VARIANCE = 0.0534;
const train = digits({ split: "train", count: 2000, seed: 1 });
const test = digits({ split: "test", count: 500, seed: 1 });

const image = ({ values }: Dataset, i: number) => values.subarray(i * PIXELS, (i + 1) * PIXELS);

/** Fraction of the first `count` examples in `asked` whose nearest neighbour in `known` has the same label. */
function nearestNeighbour(known: Dataset, asked: Dataset, count: number): number {
  let right = 0;
  for (let i = 0; i < count; i++) {
    const a = image(asked, i);
    let best = Infinity;
    let label = -1;
    for (let j = 0; j < known.count; j++) {
      const b = image(known, j);
      let distance = 0;
      for (let p = 0; p < PIXELS && distance < best; p++) distance += (a[p]! - b[p]!) ** 2;
      if (distance < best) [best, label] = [distance, known.labels![j]!];
    }
    if (label === asked.labels![i]) right++;
  }
  return right / count;
}

/** Variance of a pixel within its class, averaged over pixels and classes, on the scale of 0..1. */
function varianceWithin({ values, labels, count }: Dataset): number {
  const sums = new Float64Array(10 * PIXELS);
  const squares = new Float64Array(10 * PIXELS);
  const counts = new Float64Array(10);
  for (let i = 0; i < count; i++) {
    counts[labels![i]!]!++;
    for (let p = 0; p < PIXELS; p++) {
      const value = values[i * PIXELS + p]! / 255;
      sums[labels![i]! * PIXELS + p]! += value;
      squares[labels![i]! * PIXELS + p]! += value * value;
    }
  }
  const variances = sums.map((sum, k) => {
    const n = counts[Math.floor(k / PIXELS)]!;
    return squares[k]! / n - (sum / n) ** 2;
  });
  return variances.reduce((a, b) => a + b, 0) / variances.length;
}

describe("digit strokes", () => {
  it("have shares that sum to 1, and forms that blend", () => {
    expect(DIGIT_STYLES).toHaveLength(10);
    for (const styles of DIGIT_STYLES) {
      expect(styles.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
      for (const { forms } of styles) {
        for (const form of forms) {
          expect(form).toMatch(/^-?\d+,-?\d+\*?( (\| )?-?\d+,-?\d+\*?)+$/);
          // The same points, corners and lifts in every form.
          const pattern = (text: string) => text.replace(/-?\d+,-?\d+/g, "p");
          expect(pattern(form)).toBe(pattern(forms[0]!));
        }
      }
    }
  });
});

describe("digits", () => {
  it("gives the same bytes on every machine", () => {
    // Fixed by design, since drawing uses only operations that round the same everywhere. Changing the drawing changes
    // it.
    const hash = createHash("sha256").update(train.values).update(train.labels!).digest("hex");
    expect(hash.slice(0, 16)).toBe("52c67b784b641cec");
  });

  it("depends only on seed, split and index", () => {
    const few = digits({ split: "train", count: 20, seed: 1 });
    expect(few.values).toEqual(train.values.subarray(0, 20 * PIXELS));
    expect(few.labels).toEqual(train.labels!.subarray(0, 20));
    expect(digits({ split: "train", count: 20, seed: 2 }).values).not.toEqual(few.values);
  });

  it("has no image in both splits", () => {
    const keys = (dataset: Dataset) =>
      Array.from({ length: dataset.count }, (_, i) => Buffer.from(image(dataset, i)).toString("base64"));
    const known = new Set(keys(train));
    expect(known.size).toBe(train.count);
    expect(keys(test).filter((key) => known.has(key))).toEqual([]);
  });

  it("measures like MNIST: ink, grey levels, box, centre", () => {
    expect(train).toMatchObject({ name: "digits", shape: [28, 28, 1], count: 2000 });
    const mean = (train.values as Uint8Array).reduce((a, b) => a + b, 0) / train.values.length / 255;
    expect(mean).toBeGreaterThan(0.12);
    expect(mean).toBeLessThan(0.14);
    // MNIST: 81 % black, 12 % grey, 7 % within five levels of white.
    const share = (test: (v: number) => boolean) => train.values.filter(test).length / train.values.length;
    expect(Math.abs(share((v) => v === 0) - 0.81)).toBeLessThan(0.03);
    expect(Math.abs(share((v) => v > 250) - 0.07)).toBeLessThan(0.02);

    for (let i = 0; i < 200; i++) {
      const pixels = image(train, i);
      let [mass, x, y, left, right, top, bottom] = [0, 0, 0, 28, 0, 28, 0];
      pixels.forEach((value, p) => {
        const [column, row] = [p % 28, Math.floor(p / 28)];
        mass += value;
        x += value * (column + 0.5);
        y += value * (row + 0.5);
        if (value < 128) return;
        [left, right] = [Math.min(left, column), Math.max(right, column)];
        [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
      });
      const longSide = Math.max(right - left, bottom - top) + 1;
      expect(longSide).toBeGreaterThanOrEqual(17);
      expect(longSide).toBeLessThanOrEqual(20);
      // Half a pixel of rounding, unless the box would leave the image.
      const free = left > 0 && right < 27 && top > 0 && bottom < 27;
      if (free) expect(Math.max(Math.abs(x / mass - 14.5), Math.abs(y / mass - 14.5))).toBeLessThanOrEqual(0.51);
    }
  });

  it("has ten classes that nearest neighbours can distinguish", () => {
    expect(new Set(train.labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(nearestNeighbour(train, test, 500)).toBeGreaterThan(0.9);
  });

  it("is as varied as MNIST", () => {
    const ratio = varianceWithin(train) / MNIST_VARIANCE;
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  });

  it("draws 10,000 in two seconds", () => {
    expect(processorMs(() => digits({ split: "train", count: 10_000, seed: 5 }))).toBeLessThan(2000);
  });

  const dir = localMnist();
  // Only defined if the files exist: a skipped test would prove nothing.
  const withFiles = dir ? it : () => {};
  withFiles("teaches a nearest neighbour to read real MNIST", async () => {
    const real = await readDataDir(dir!, { split: "test" });
    expect(nearestNeighbour(train, real, 500)).toBeGreaterThan(0.75);
    const reference = await readDataDir(dir!, { split: "train" });
    expect(varianceWithin({ ...reference, count: 10_000 })).toBeCloseTo(MNIST_VARIANCE, 3);
  });
});
