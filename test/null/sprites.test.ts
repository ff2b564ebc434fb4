import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../../src/data/dataset.js";
import { exampleRandom } from "../../src/data/generated.js";
import { drawSprite, spriteFactors, sprites, type SpriteFactors } from "../../src/data/sprites.js";

const SIDE = 64;
const SIZE = SIDE * SIDE * 3;
const SHAPES = [0, 1, 2];
const train = sprites({ split: "train", count: 1000, seed: 1 });
const test = sprites({ split: "test", count: 300, seed: 1 });

const image = ({ values }: Dataset, i: number) => values.subarray(i * SIZE, (i + 1) * SIZE);
const factors = Array.from({ length: 20_000 }, (_, i) => spriteFactors(exampleRandom(1, "train", i)));
const angle = ({ rotation: [cos, sin] }: SpriteFactors) => Math.atan2(sin, cos);

/** Measurements of an image: ink is a pixel's brightest channel, which is 1 where the shape covers it. */
function measure(pixels: Uint8Array | Float32Array) {
  let [area, x, y, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
  const colour = [0, 0, 0];
  const box = { left: SIDE, right: 0, top: SIDE, bottom: 0 };
  for (let p = 0; p < SIDE * SIDE; p++) {
    const channels = [...pixels.subarray(3 * p, 3 * p + 3)].map((value) => value / 255);
    const ink = Math.max(...channels);
    if (ink === 0) continue;
    const [column, row] = [(p % SIDE) + 0.5, Math.floor(p / SIDE) + 0.5];
    area += ink;
    x += ink * column;
    y += ink * row;
    xx += ink * column * column;
    xy += ink * column * row;
    yy += ink * row * row;
    channels.forEach((value, c) => (colour[c]! += value));
    box.left = Math.min(box.left, column - 0.5);
    box.right = Math.max(box.right, column + 0.5);
    box.top = Math.min(box.top, row - 0.5);
    box.bottom = Math.max(box.bottom, row + 0.5);
  }
  [x, y] = [x / area, y / area];
  const moments = { xx: xx / area - x * x, xy: xy / area - x * y, yy: yy / area - y * y };
  return { area, x, y, ...moments, colour: colour.map((sum) => sum / area), ...box };
}

/** The hue of red, green and blue, as in any textbook on HSV. */
function hueOf([r = 0, g = 0, b = 0]: number[]): number {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  const sixths = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
  return (sixths / 6 + 1) % 1;
}

/** Distance of two points of a circle of that circumference. */
const around = (a: number, b: number, whole: number) => {
  const apart = Math.abs(a - b) % whole;
  return Math.min(apart, whole - apart);
};

describe("sprites", () => {
  it("gives the same bytes on every machine", () => {
    // Fixed by design, since drawing uses only operations that round the same everywhere. Changing the drawing changes
    // it.
    const hash = createHash("sha256").update(train.values).update(train.labels!).digest("hex");
    expect(hash.slice(0, 16)).toBe("5e9d6f434f083583");
    expect(train).toMatchObject({ name: "sprites", shape: [64, 64, 3], count: 1000 });
  });

  it("depends only on seed, split and index", () => {
    const few = sprites({ split: "train", count: 20, seed: 1 });
    expect(few.values).toEqual(train.values.subarray(0, 20 * SIZE));
    expect(few.labels).toEqual(train.labels!.subarray(0, 20));
    expect(sprites({ split: "train", count: 20, seed: 2 }).values).not.toEqual(few.values);
  });

  it("has no image in both splits", () => {
    const keys = (dataset: Dataset) =>
      Array.from({ length: dataset.count }, (_, i) => createHash("sha256").update(image(dataset, i)).digest("hex"));
    const known = new Set(keys(train));
    expect(known.size).toBe(train.count);
    expect(keys(test).filter((key) => known.has(key))).toEqual([]);
  });

  it("has factors that are uniform", () => {
    const n = factors.length;
    // Each on (0, 1). The error of a mean is 0.29 / sqrt(n), of a share 0.43 / sqrt(n): bounds of five of them.
    const uniform: [string, (one: SpriteFactors) => number][] = [
      ["hue", ({ hue }) => hue],
      ["scale", ({ scale }) => 2 * scale - 1],
      ["rotation", (one) => angle(one) / (2 * Math.PI) + 0.5],
      ["x", ({ x }) => (x - 16) / 32],
      ["y", ({ y }) => (y - 16) / 32],
    ];
    for (const [name, of] of uniform) {
      const values = factors.map(of);
      expect(Math.min(...values), name).toBeGreaterThan(0);
      expect(Math.max(...values), name).toBeLessThan(1);
      expect(Math.abs(values.reduce((a, b) => a + b, 0) / n - 0.5), name).toBeLessThan(1.5 / Math.sqrt(n));
      for (const quarter of [0, 1, 2, 3]) {
        const share = values.filter((value) => Math.floor(4 * value) === quarter).length / n;
        expect(Math.abs(share - 0.25), `${name}, quarter ${quarter}`).toBeLessThan(2.2 / Math.sqrt(n));
      }
    }
    for (const shape of SHAPES) {
      const share = factors.filter((one) => one.shape === shape).length / n;
      expect(Math.abs(share - 1 / 3), `shape ${shape}`).toBeLessThan(2.4 / Math.sqrt(n));
    }
  });

  it("has independent factors", () => {
    const columns = [
      (one: SpriteFactors) => one.shape,
      ({ hue }: SpriteFactors) => hue,
      ({ scale }: SpriteFactors) => scale,
      angle,
      ({ x }: SpriteFactors) => x,
      ({ y }: SpriteFactors) => y,
    ].map((of) => {
      const values = factors.map(of);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
      return values.map((value) => (value - mean) / deviation);
    });
    columns.forEach((a, i) =>
      columns.slice(0, i).forEach((b, j) => {
        const correlation = a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length;
        expect(Math.abs(correlation), `factors ${j} and ${i}`).toBeLessThan(5 / Math.sqrt(factors.length));
      }),
    );
  });

  it("draws according to the factors: label, position, size and colour", () => {
    const largest = { place: 0, size: 0, hue: 0 };
    for (let i = 0; i < 300; i++) {
      const { shape, hue, scale, x, y } = factors[i]!;
      const found = measure(image(train, i));
      expect(train.labels![i]).toBe(shape);
      largest.place = Math.max(largest.place, Math.abs(found.x - x), Math.abs(found.y - y));
      // All shapes of one scale have one area.
      largest.size = Math.max(largest.size, Math.abs(Math.sqrt(found.area / 2) - 15 * scale));
      largest.hue = Math.max(largest.hue, around(hueOf(found.colour), hue, 1));
      expect(Math.min(found.left, found.top), `image ${i}`).toBeGreaterThan(0);
      expect(Math.max(found.right, found.bottom), `image ${i}`).toBeLessThan(SIDE);
      expect(Math.min(...found.colour)).toBeCloseTo(0.2, 1);
    }
    expect(largest.place).toBeLessThan(0.1);
    expect(largest.size).toBeLessThan(0.1);
    expect(largest.hue).toBeLessThan(0.005);
  });

  it("rotates the shapes: an ellipse's long axis, a heart's tip", () => {
    for (let i = 0; i < 300; i++) {
      const one = factors[i]!;
      const found = measure(image(train, i));
      if (one.shape === 1) {
        const axis = 0.5 * Math.atan2(2 * found.xy, found.xx - found.yy);
        expect(around(axis, angle(one), Math.PI), `image ${i}`).toBeLessThan(0.03);
      } else if (one.shape === 2) {
        // Of an upright heart, in its radius: the tip, which points down, the two lobes, and the gap between them.
        const [cos, sin] = one.rotation;
        const brightest = ([u, v]: readonly [number, number]) => {
          const radius = 15 * one.scale;
          const column = Math.floor(one.x + radius * (cos * u - sin * v));
          const row = Math.floor(one.y + radius * (sin * u + cos * v));
          const pixel = 3 * (row * SIDE + column);
          return Math.max(...image(train, i).subarray(pixel, pixel + 3));
        };
        const lit: (readonly [number, number])[] = [
          [0, 0.75],
          [-0.74, -0.28],
          [0.74, -0.28],
        ];
        expect(lit.map(brightest), `image ${i}`).toEqual([255, 255, 255]);
        expect(brightest([0, -0.75]), `image ${i}`).toBe(0);
      }
    }
  });

  it("gives the same result as a loop over every point of every pixel", () => {
    // Drawing skips points that it need not test. For the square, the truth is known from its corners.
    const square: SpriteFactors = { shape: 0, hue: 0, scale: 0.9, rotation: [0.8, 0.6], x: 30.3, y: 33.8 };
    const pixels = new Uint8Array(SIZE);
    drawSprite(square, pixels);
    const half = (15 * 0.9) / Math.SQRT2;
    const expected = Array.from({ length: SIDE * SIDE }, (_, p) => {
      let covered = 0;
      for (let point = 0; point < 16; point++) {
        const dx = (p % SIDE) + ((point % 4) + 0.5) / 4 - square.x;
        const dy = Math.floor(p / SIDE) + (Math.floor(point / 4) + 0.5) / 4 - square.y;
        if (Math.max(Math.abs(0.8 * dx + 0.6 * dy), Math.abs(0.8 * dy - 0.6 * dx)) <= half) covered++;
      }
      return Math.round((255 * covered) / 16);
    });
    expect([...pixels.filter((_, i) => i % 3 === 0)]).toEqual(expected);
    // Edges in grey, as of 4 x 4 points.
    expect(new Set(expected).size).toBeGreaterThan(10);
  });

  it("draws 5,000 in two seconds", () => {
    // CPU time, which other programs do not lengthen, unlike wall time.
    const start = process.cpuUsage();
    sprites({ split: "train", count: 5000, seed: 5 });
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(2000);
  });
});
