// How the explorer converts drawings, and judges them.
import { describe, expect, test } from "vitest";
import { normals } from "../../explorer/normals.js";
import { Latest } from "../../explorer/latest.js";
import { layoutOf, pictureShape } from "../../explorer/shapes.js";
import { centred, smoothed, strokesToImage, type Stroke } from "../../explorer/strokes.js";
import { histogram, judge, percentileOf } from "../../explorer/usual.js";

const stroke = (points: readonly (readonly [number, number])[]): Stroke => ({
  x: points.map(([x]) => x),
  y: points.map(([, y]) => y),
  radius: points.map(() => 1),
});

/** Ink's box and centre of mass, in pixels from the top left. */
function measured(image: Float32Array, width: number) {
  const box = { left: width, right: -1, top: image.length, bottom: -1 };
  let [mass, x, y] = [0, 0, 0];
  image.forEach((value, i) => {
    if (value === 0) return;
    const [column, row] = [i % width, Math.floor(i / width)];
    mass += value;
    x += value * (column + 0.5);
    y += value * (row + 0.5);
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column);
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row);
  });
  return { ...box, mass, centre: [x / mass, y / mass] as const };
}

/** A seven, whose centre of mass is above and left of its box's centre. */
const seven = (size: number, x: number, y: number) =>
  stroke([
    [x, y],
    [x + 0.5 * size, y],
    [x + 0.25 * size, y + size],
  ]);

describe("a drawing", () => {
  const large = strokesToImage([seven(0.7, 0.1, 0.1)], [28, 28], 1);

  test("fits MNIST's box of 20 pixels, with its centre of mass in the middle", () => {
    const { top, bottom, left, right, centre } = measured(large, 28);
    expect(bottom - top + 1).toBeGreaterThanOrEqual(20);
    expect(bottom - top + 1).toBeLessThanOrEqual(22);
    expect(right - left).toBeLessThan(bottom - top);
    // Moved by whole pixels, like in MNIST.
    for (const at of centre) expect(Math.abs(at - 14.5)).toBeLessThanOrEqual(0.5);
    expect(Math.max(...large)).toBe(1);
    expect(Math.min(...large)).toBe(0);
  });

  test("gives the same picture, with an equally thick pen, wherever and however small it was drawn", () => {
    const small = strokesToImage([seven(0.2, 0.7, 0.6)], [28, 28], 1);
    small.forEach((value, i) => expect(Math.abs(value - large[i]!)).toBeLessThan(1e-4));
  });

  test("is scaled to other image sizes", () => {
    const { top, bottom, centre } = measured(strokesToImage([seven(0.7, 0.1, 0.1)], [56, 56], 1), 56);
    expect(bottom - top + 1).toBeGreaterThanOrEqual(40);
    expect(bottom - top + 1).toBeLessThanOrEqual(44);
    for (const at of centre) expect(Math.abs(at - 29)).toBeLessThanOrEqual(0.5);
  });

  test("of nothing is empty, of a tap a centred dot, of a line a line", () => {
    expect(strokesToImage([], [28, 28], 1).every((value) => value === 0)).toBe(true);
    const dot = measured(strokesToImage([stroke([[0.2, 0.9]])], [28, 28], 1), 28);
    expect(dot.right - dot.left).toBeLessThan(6);
    expect(dot.mass).toBeGreaterThan(3);
    for (const at of dot.centre) expect(Math.abs(at - 14.5)).toBeLessThanOrEqual(0.5);
    const line = stroke([
      [0.5, 0.1],
      [0.5, 0.9],
    ]);
    const drawn = measured(strokesToImage([line], [28, 28], 1), 28);
    expect(drawn.bottom - drawn.top).toBeGreaterThan(18);
    expect(drawn.right - drawn.left).toBeLessThan(5);
  });

  test("keeps all its ink when moved", () => {
    const edge = new Float32Array(100);
    // Centring its mass would need more room than there is.
    for (let row = 0; row < 10; row++) edge[10 * row] = 1;
    edge[9] = 0.25;
    const moved = centred(edge, 10, 10, 10 / 28);
    expect(moved.reduce((a, b) => a + b)).toBeCloseTo(10.25, 5);
  });

  test("is smooth: a corner becomes a curve between the same ends", () => {
    const curve = smoothed(
      stroke([
        [0, 0],
        [1, 0],
        [1, 1],
        [2, 1],
      ]),
    );
    const last = curve.x.length - 1;
    expect([curve.x[0], curve.y[0], curve.x[last], curve.y[last]]).toEqual([0, 0, 2, 1]);
    for (let i = 2; i <= last; i++) {
      const angle = (at: number) => Math.atan2(curve.y[at]! - curve.y[at - 1]!, curve.x[at]! - curve.x[at - 1]!);
      expect(Math.abs(angle(i) - angle(i - 1))).toBeLessThan(0.7);
    }
  });
});

describe("how typical a loss is", () => {
  const losses = Array.from({ length: 200 }, (_, i) => 100 + i);

  test("percentiles", () => {
    expect(percentileOf(100, losses)).toBeCloseTo(0.25);
    expect(percentileOf(99, losses)).toBe(0);
    expect(percentileOf(400, losses)).toBe(100);
    expect(percentileOf(199.5, losses)).toBe(50);
    expect(percentileOf(5, [5, 5, 5])).toBe(50);
  });

  test.each([
    [110, "typical", "95% of the examples have a higher loss."],
    [250, "ordinary", "25% of the examples have a higher loss."],
    [290, "unusual", "Its loss is higher than those of 95% of the examples."],
    [297, "very unusual", "Its loss is higher than those of 99% of the examples."],
    [500, "unlike any example", "Its loss is higher than those of all 200 examples."],
  ])("%f nats: %s", (loss, words, sentence) => expect(judge(loss, losses)).toMatchObject({ words, sentence }));

  test("a histogram counts every value once, including the largest", () => {
    const { counts, from, to } = histogram(losses, 7);
    expect(counts.reduce((a, b) => a + b)).toBe(200);
    expect([from, to]).toEqual([100, 299]);
    expect(histogram([4, 4], 3).counts).toEqual([2, 0, 0]);
  });
});

describe("random numbers", () => {
  test("draws are standard normal, and the same for the same seed", () => {
    const e = normals(20_000, 9);
    const mean = e.reduce((a, b) => a + b) / e.length;
    const variance = e.reduce((sum, value) => sum + (value - mean) ** 2, 0) / e.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
    expect([...normals(3, 9)]).toEqual([...e.subarray(0, 3)]);
    expect([...normals(3, 8)]).not.toEqual([...e.subarray(0, 3)]);
  });
});

describe("the newest request", () => {
  test("runs after the one under way; those between are dropped and end with it", async () => {
    const latest = new Latest();
    const ran: number[] = [];
    const gates: (() => void)[] = [];
    const task = (name: number) => async () => {
      ran.push(name);
      await new Promise<void>((open) => gates.push(open));
    };
    const all = [1, 2, 3, 4].map((name) => latest.run(task(name)));
    await Promise.resolve();
    expect(ran).toEqual([1]);
    gates[0]!();
    await all[0];
    await new Promise((done) => setTimeout(done));
    expect(ran).toEqual([1, 4]);
    gates[1]!();
    await Promise.all(all);
    const last = latest.run(task(5));
    expect(ran).toEqual([1, 4, 5]);
    gates[2]!();
    await last;
  });

  test("continues after a failure, which is reported only to those that waited for it", async () => {
    const latest = new Latest();
    const failing = latest.run(() => Promise.reject(new Error("no")));
    const next = latest.run(() => Promise.resolve());
    await expect(failing).rejects.toThrow("no");
    await expect(next).resolves.toBeUndefined();
  });

  test("drops waiting requests when cleared, and works again", async () => {
    const latest = new Latest();
    let [open, ran] = [() => {}, 0];
    const first = latest.run(() => new Promise<void>((done) => (open = done)));
    const second = latest.run(() => Promise.resolve(void ran++));
    latest.clear();
    open();
    await Promise.all([first, second]);
    expect(ran).toBe(0);
    await latest.run(() => Promise.resolve(void ran++));
    expect(ran).toBe(1);
  });
});

describe("how examples are shown", () => {
  test("images unchanged, square vectors as squares, others as strips", () => {
    expect(pictureShape({ input: [28, 28, 1] })).toEqual([28, 28, 1]);
    expect(pictureShape({ input: [64, 32, 3] })).toEqual([64, 32, 3]);
    expect(pictureShape({ input: [784] })).toEqual([28, 28, 1]);
    expect(pictureShape({ input: [10] })).toEqual([1, 10, 1]);
    expect(pictureShape({ input: [4, 4, 2] })).toEqual([1, 32, 1]);
  });

  test("cells are whole pixels, as large as fit, and a canvas of their size gives the same cells", () => {
    const layout = layoutOf({ width: 640, height: Infinity }, [28, 28, 1], 12, 12);
    expect(layout).toEqual({ cell: { width: 50, height: 50 }, gap: 3, width: 633, height: 633 });
    expect(layoutOf({ width: 212, height: 160 }, [2, 4, 1], 2, 3)).toMatchObject({
      cell: { width: 98, height: 49 },
      gap: 6,
    });
    expect(layoutOf({ width: 101, height: 200 }, [1, 1, 1], 1, 1)).toMatchObject({ cell: { width: 101 }, gap: 0 });
    for (let width = 20; width < 700; width += 7) {
      for (const [columns, rows] of [
        [1, 1],
        [8, 1],
        [11, 6],
        [20, 20],
      ] as const) {
        const first = layoutOf({ width, height: Infinity }, [28, 20, 1], columns, rows);
        expect(layoutOf(first, [28, 20, 1], columns, rows)).toEqual(first);
        expect(first.width).toBeLessThanOrEqual(Math.max(width, 2 * columns - 1));
        expect(width - first.width).toBeLessThan(2 * columns);
      }
    }
  });
});
