// Central differences in f64, which a gradient must match, whatever rule made it.
import { expect } from "vitest";

/** (f(x + h) - f(x - h)) / 2h along value `i` of `x`, which is restored. `f` reads `x`. */
export function centralDifference(f: () => number, x: Float64Array, i: number, h = 1e-5): number {
  const before = x[i]!;
  x[i] = before + h;
  const above = f();
  x[i] = before - h;
  const below = f();
  x[i] = before;
  return (above - below) / (2 * h);
}

/** The difference between a gradient and the central difference, divided by 1 + the latter. */
export function gradientError(gradient: number, difference: number): number {
  return Math.abs(gradient - difference) / (1 + Math.abs(difference));
}

/** Compares every value of `gradient` with the central difference of `objective` along `x`. */
export function expectGradient(gradient: Float64Array, objective: () => number, x: Float64Array): void {
  expect(gradient.length).toBe(x.length);
  gradient.forEach((g, i) =>
    expect(gradientError(g, centralDifference(objective, x, i)), `value ${i}`).toBeLessThan(1e-8),
  );
}
