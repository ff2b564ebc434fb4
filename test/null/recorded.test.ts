// The recorded run that the demo shows without WebGPU: its format, and the recording in the repository.
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import {
  imageCount,
  imagesOf,
  packPoints,
  REACH,
  thinned,
  unpackPoints,
  type Loss,
  type Recording,
  type Sheet,
} from "../../demo/recorded/recording.js";
import { drawSheet } from "../../demo/recorded/sheet.js";

const folder = join(import.meta.dirname, "../../demo/recorded");

describe("the format", () => {
  it("stores latents to within 1/64, with distant ones at the edge", () => {
    const latent = fc.float({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(latent), (values) => {
        const unpacked = unpackPoints(packPoints(Float32Array.from(values)));
        expect(unpacked).toHaveLength(values.length);
        values.forEach((value, i) => {
          const kept = Math.min(Math.max(value, -REACH), REACH);
          expect(Math.abs(unpacked[i]! - kept)).toBeLessThanOrEqual(1 / 64 + 1e-6);
        });
      }),
    );
  });

  it("gives each image on a sheet its own place", () => {
    const sheet: Sheet = { side: 2, columns: 5, pairs: 3, manifoldColumns: 2, samples: 4 };
    const moments = [0, 1, 2].map((moment) => imagesOf(sheet, moment));
    const { originals, manifold } = moments[0]!;
    const all = [originals, manifold, ...moments.flatMap(({ samples, reconstructions }) => [samples, reconstructions])];
    expect(all.flat()).toEqual(Array.from({ length: imageCount(sheet, 3) }, (_, i) => i));
    expect(all.map(({ length }) => length)).toEqual([3, 4, 4, 3, 4, 3, 4, 3]);
  });

  it("draws images where they are looked up, in 16 greys", () => {
    const sheet: Sheet = { side: 2, columns: 3, pairs: 1, manifoldColumns: 1, samples: 1 };
    const images = Float32Array.from({ length: 5 * 4 }, (_, i) => i / 19);
    const png = PNG.sync.read(Buffer.from(drawSheet(sheet, [images.subarray(0, 8), images.subarray(8)])));
    expect([png.width, png.height]).toEqual([6, 4]);
    const grey = (x: number, y: number) => png.data[4 * (y * 6 + x)]!;
    for (let image = 0; image < 5; image++) {
      for (let i = 0; i < 4; i++) {
        const found = grey((image % 3) * 2 + (i % 2), Math.floor(image / 3) * 2 + (i >> 1));
        expect(found % 17).toBe(0);
        expect(Math.abs(found - (255 * (4 * image + i)) / 19)).toBeLessThanOrEqual(8.5);
      }
    }
    expect(grey(5, 3)).toBe(0);
  });

  it("thins out losses by averaging neighbours", () => {
    const losses = Array.from({ length: 10 }, (_, i): Loss => [i, 100 - i]);
    expect(thinned(losses, 20)).toEqual(losses);
    expect(thinned(losses, 4)).toEqual([
      [2, 99],
      [5, 96],
      [8, 93],
      [9, 91],
    ]);
    expect(thinned([], 4)).toEqual([]);
  });
});

describe("the recording in the repository", () => {
  const json = readFileSync(join(folder, "recorded.json"), "utf8");
  const png = readFileSync(join(folder, "recorded.png"));
  const recording = JSON.parse(json) as Recording;

  it("is small and complete", () => {
    expect(json.length + png.length).toBeLessThanOrEqual(120_000);
    const { sheet, moments, labels, losses, epochs, steps } = { ...recording, steps: recording.moments.at(-1)!.step };
    const { width, height } = PNG.sync.read(png);
    expect(width).toBe(sheet.columns * sheet.side);
    expect(height).toBe(Math.ceil(imageCount(sheet, moments.length) / sheet.columns) * sheet.side);
    expect(moments.length).toBeGreaterThanOrEqual(10);
    for (const { points } of moments) expect(unpackPoints(points)).toHaveLength(2 * labels.length);
    expect(labels).toMatch(/^[0-9]+$/);
    expect(losses.test).toHaveLength(epochs);
    expect(steps).toBe(epochs * Math.floor(recording.train / recording.batchSize));
    expect(recording.adapter).toMatch(/\w/);
    expect(recording.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    for (const key of ["epoch", "step", "seconds"] as const) {
      const values = moments.map((moment) => moment[key]);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values[0]).toBe(0);
    }
  });

  it("shows a model that learned", () => {
    const { train, test } = recording.losses;
    expect(train[0]![1]).toBeGreaterThan(300);
    expect(test.at(-1)![1]).toBeLessThan(150);
    // Each of the last reconstructions is closer to its original than before training.
    const { data, width } = PNG.sync.read(png);
    const { side, columns } = recording.sheet;
    const pixels = (image: number) =>
      Array.from({ length: side * side }, (_, i) => {
        const [x, y] = [
          (image % columns) * side + (i % side),
          Math.floor(image / columns) * side + Math.floor(i / side),
        ];
        return data[4 * (y * width + x)]! / 255;
      });
    const apart = (a: number, b: number) => {
      const other = pixels(b);
      return pixels(a).reduce((sum, value, i) => sum + (value - other[i]!) ** 2, 0);
    };
    const first = imagesOf(recording.sheet, 0);
    const last = imagesOf(recording.sheet, recording.moments.length - 1);
    first.originals.forEach((original, i) => {
      expect(apart(original, last.reconstructions[i]!)).toBeLessThan(apart(original, first.reconstructions[i]!) / 2);
    });
  });
});
