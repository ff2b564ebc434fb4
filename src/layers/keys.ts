// Checks of keys that several types of layers have.
import { countAt, invalid, numberAt, oneOf, quoted } from "../checks.js";
import { activations } from "../tensor.js";
import type { Check } from "./definition.js";
import type { Padding, Size2d } from "./json.js";

export const activation: Check = (value, place) => oneOf(value, activations, place);
export const count: Check = (value, place) => countAt(value, place);
export const epsilon: Check = (value, place) => numberAt(value, place, 1e-12, 1);
export const share: Check = (value, place) => numberAt(value, place, 0, 1);

export const size2d =
  (least: number): Check =>
  (value, place): Size2d => {
    if (!Array.isArray(value)) return countAt(value, place, least);
    if (value.length !== 2) invalid(`${place}: expected a number or [down, across], found ${quoted(value)}`);
    return [countAt(value[0], `${place}[0]`, least), countAt(value[1], `${place}[1]`, least)];
  };
export const positive = size2d(1);

export const padding: Check = (value, place): Padding => {
  if (value === "same" || value === "valid") return value;
  if (typeof value === "number") return countAt(value, place, 0);
  if (!Array.isArray(value) || value.length !== 4) {
    invalid(`${place}: expected "same", "valid", a number or [top, bottom, left, right], found ${quoted(value)}`);
  }
  const sides = value.map((n: unknown, i) => countAt(n, `${place}[${i}]`, 0));
  return sides as unknown as readonly [number, number, number, number];
};
