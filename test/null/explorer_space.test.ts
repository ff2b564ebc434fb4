// The explorer's mathematics of the latent space: components, planes, quantiles, paths and round trips.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normals } from "../../explorer/normals.js";
import { between, steps } from "../../explorer/interpolation.js";
import { classMeans, neighbourhood } from "../../explorer/neighbours.js";
import { ClosedPath, distance, roundTrip } from "../../explorer/path.js";
import { dot, principalAxes, variancesOf } from "../../explorer/pca.js";
import { dimensionName, Plane } from "../../explorer/plane.js";
import { normalGrid, normalQuantile } from "../../explorer/quantile.js";

/** Rows [n, 5] of known covariance: along `axes` with standard deviations 3, 2 and 0.1, 0.1, 0.1. */
function elongated(count: number) {
  const root = Math.SQRT1_2;
  const axes = [
    [root, root, 0, 0, 0],
    [0, 0, 0.6, 0, -0.8],
    [root, -root, 0, 0, 0],
    [0, 0, 0.8, 0, 0.6],
    [0, 0, 0, 1, 0],
  ];
  const e = normals(5 * count, 3);
  const rows = new Float32Array(5 * count);
  for (let row = 0; row < count; row++) {
    [3, 2, 0.1, 0.1, 0.1].forEach((deviation, k) => {
      for (let i = 0; i < 5; i++) rows[5 * row + i]! += deviation * e[5 * row + k]! * axes[k]![i]! + (k === 0 ? 7 : 0);
    });
  }
  return { rows, axes };
}

describe("principal components", () => {
  test("are the directions along which the data was generated, larger first, wherever the data is", () => {
    const { rows, axes } = elongated(4000);
    const found = principalAxes(rows, 5);
    expect(Math.abs(dot(found.axes[0], axes[0]!))).toBeGreaterThan(0.998);
    expect(Math.abs(dot(found.axes[1], axes[1]!))).toBeGreaterThan(0.998);
    expect(found.variances[0]).toBeCloseTo(9, 0);
    expect(found.variances[1]).toBeCloseTo(4, 0);
    expect(found.total).toBeCloseTo(13.03, 0);
    expect(found.total).toBeCloseTo(
      variancesOf(rows, 5).reduce((a, b) => a + b),
      6,
    );
  });

  test("are orthogonal unit vectors for any data, even if it varies in only one direction or none", () => {
    const points = fc.integer({ min: 2, max: 6 }).chain((width) =>
      fc
        .array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: width, maxLength: 5 * width })
        .map((values) => ({
          width,
          rows: Float32Array.from(values.slice(0, values.length - (values.length % width))),
        })),
    );
    const check = (rows: Float32Array, width: number) => {
      const { axes } = principalAxes(rows, width);
      expect(dot(axes[0], axes[0])).toBeCloseTo(1, 6);
      expect(dot(axes[1], axes[1])).toBeCloseTo(1, 6);
      expect(dot(axes[0], axes[1])).toBeCloseTo(0, 6);
    };
    fc.assert(fc.property(points, ({ rows, width }) => check(rows, width)));
    check(new Float32Array(12), 4);
    check(Float32Array.from([1, 0, 0, 2, 0, 0, 5, 0, 0]), 3);
  });
});

describe("a plane", () => {
  test("lifts a point to a position that projects to it, and keeps the orthogonal part", () => {
    const { rows } = elongated(300);
    const plane = Plane.ofPoints(rows, 5);
    const z = Float32Array.from([0.5, -1, 2, 0.25, 1.5]);
    const moved = plane.lift([1.25, -0.75], z);
    expect(plane.project(moved)[0]).toBeCloseTo(1.25, 5);
    expect(plane.project(moved)[1]).toBeCloseTo(-0.75, 5);
    const back = plane.lift(plane.project(z), moved);
    back.forEach((value, i) => expect(value).toBeCloseTo(z[i]!, 5));
    expect(plane.share).toBeGreaterThan(0.99);
  });

  test("of two dimensions moves only those", () => {
    const plane = Plane.ofDimensions(4, 2, 0);
    expect([...plane.lift([5, 6], [1, 2, 3, 4])]).toEqual([6, 2, 5, 4]);
    expect([...plane.projectAll(Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]))]).toEqual([3, 1, 7, 5]);
    expect(plane.names).toEqual(["z₃", "z₁"]);
    expect(dimensionName(19)).toBe("z₂₀");
  });
});

describe("normal quantiles", () => {
  test.each([
    // Published values of the inverse of Phi.
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.9, 1.2815515655446004],
    [0.001, -3.090232306167813],
    [1e-6, -4.753424308822899],
    [1e-10, -6.361340902404056],
  ])("%f: %f", (p, x) => expect(normalQuantile(p)).toBeCloseTo(x, 9));

  test("reject invalid fractions", () => {
    for (const p of [0, 1, -0.1, NaN]) expect(() => normalQuantile(p)).toThrow(RangeError);
  });

  test("of a grid are symmetric, ascending, and divide the prior evenly", () => {
    const grid = normalGrid(12);
    expect(grid).toHaveLength(12);
    grid.forEach((value, i) => expect(value).toBeCloseTo(-grid[11 - i]!, 12));
    const draws = normals(60_000, 5);
    for (let i = 1; i < 12; i++) {
      expect(grid[i]).toBeGreaterThan(grid[i - 1]!);
      const inside = draws.filter((value) => value > grid[i - 1]! && value < grid[i]!).length / draws.length;
      expect(inside).toBeCloseTo(1 / 12, 2);
    }
  });
});

describe("interpolation", () => {
  const a = Float32Array.from([2, 0, 0]);
  const b = Float32Array.from([0, 4, 0]);

  test("linear: the straight line", () => {
    expect([...between(a, b, 0.25, "linear")]).toEqual([1.5, 1, 0]);
  });

  test("spherical: the arc, with a linearly changing length", () => {
    for (const t of [0, 0.25, 0.5, 1]) {
      const at = between(a, b, t, "spherical");
      expect(Math.hypot(...at)).toBeCloseTo(2 + 2 * t, 5);
      expect(Math.atan2(at[1]!, at[0]!)).toBeCloseTo((t * Math.PI) / 2, 5);
    }
  });

  test("spherical from the origin, to the same point and to the opposite one stays finite", () => {
    const zero = new Float32Array(3);
    for (const [from, to] of [
      [zero, b],
      [a, a],
      [a, a.map((value) => -value)],
    ] as const) {
      expect(between(from, to, 0.5, "spherical").every(Number.isFinite)).toBe(true);
    }
  });

  test("steps begin and end at the endpoints", () => {
    const rows = steps(a, b, 5, "spherical");
    expect([...rows.subarray(0, 3)]).toEqual([2, 0, 0]);
    [...rows.subarray(12)].forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5));
  });
});

describe("a round trip", () => {
  const square = [
    [1, 1],
    [-1, -1],
    [1, -1],
    [-1, 1],
  ].map((point) => Float32Array.from(point));

  test("goes around instead of across", () => {
    const trip = roundTrip(square);
    const sides = trip.map((point, i) => distance(point, trip[(i + 1) % 4]!));
    expect(sides.map((side) => side.toFixed(6))).toEqual(Array(4).fill("2.000000"));
  });

  test("visits each point once, and no two of its segments can be swapped for shorter ones", () => {
    const coordinate = fc.float({ min: -3, max: 3, noNaN: true });
    const places = fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 });
    fc.assert(
      fc.property(places, (tuples) => {
        const trip = roundTrip(tuples.map((tuple) => Float32Array.from(tuple)));
        expect(new Set(trip).size).toBe(tuples.length);
        const at = (i: number) => trip[i % trip.length]!;
        for (let i = 0; i < trip.length; i++) {
          for (let j = i + 2; j < trip.length; j++) {
            const now = distance(at(i), at(i + 1)) + distance(at(j), at(j + 1));
            expect(now).toBeLessThanOrEqual(distance(at(i), at(j)) + distance(at(i + 1), at(j + 1)) + 1e-6);
          }
        }
      }),
    );
  });

  test("passes through its points, closes, and has constant speed and no corners", () => {
    const path = new ClosedPath(roundTrip(square));
    const places = Array.from({ length: 401 }, (_, i) => path.at(i / 400));
    for (const point of square) expect(Math.min(...places.map((place) => distance(place, point)))).toBeLessThan(0.02);
    expect(distance(places[0]!, places[400]!)).toBeLessThan(1e-5);
    expect(distance(path.at(0.3), path.at(1.3))).toBeLessThan(1e-5);
    const paces = places.slice(1).map((place, i) => distance(place, places[i]!));
    const mean = path.length / 400;
    for (const pace of paces) expect(Math.abs(pace / mean - 1)).toBeLessThan(0.03);
    for (let i = 2; i < 401; i++) {
      const [before, here, after] = [places[i - 2]!, places[i - 1]!, places[i]!];
      const turn =
        Math.atan2(after[1]! - here[1]!, after[0]! - here[0]!) -
        Math.atan2(here[1]! - before[1]!, here[0]! - before[0]!);
      expect(Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn)))).toBeLessThan(0.12);
    }
  });

  test("needs three points", () => {
    expect(() => new ClosedPath(square.slice(0, 2))).toThrow(RangeError);
  });
});

describe("neighbours", () => {
  const points = Float32Array.from([0, 0, 0.1, 0, 0, 0.1, 5, 5, 5.1, 5, 5, 5.1, 5, 4.9]);
  const labels = Uint8Array.from([3, 3, 4, 7, 7, 7, 3]);

  test("the most frequent label of the nearest", () => {
    expect(neighbourhood(Float32Array.from([0, 0]), points, labels, 3)).toEqual({ label: 3, count: 2, of: 3 });
    expect(neighbourhood(Float32Array.from([5, 5]), points, labels, 4)).toEqual({ label: 7, count: 3, of: 4 });
    expect(neighbourhood(Float32Array.from([5, 5]), points, labels, 50)?.of).toBe(7);
  });

  test("the classes' means, in the order of their labels", () => {
    const means = classMeans(points, 2, labels);
    expect([...means.keys()]).toEqual([3, 4, 7]);
    expect(means.get(7)![0]).toBeCloseTo(5.0333, 3);
    expect(means.get(3)![1]).toBeCloseTo(4.9 / 3, 5);
  });
});
