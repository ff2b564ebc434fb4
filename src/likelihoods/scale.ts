// A scale, one for all values, that is fixed or learned with the weights.
import { invalid, quoted } from "../checks.js";
import type { Check } from "../layers/definition.js";
import { tensor } from "../tensor.js";
import type { ScaleOrLearned } from "./json.js";

export const scaleOrLearned: Check = (value, place) => {
  if (value === "learned") return value;
  if (typeof value !== "number" || !(value >= 1e-5 && value <= 1e10)) {
    invalid(`${place} must be "learned" or a number from 1e-5 to 1e10, found ${quoted(value)}`);
  }
  return value;
};

/** The scale's logarithm [1]: a parameter that begins at 0, or fixed at what `logOf` makes of the number. */
export function logScale(name: string, scale: ScaleOrLearned, logOf: (value: number) => number) {
  if (scale === "learned") return { tensor: tensor(name, "param", [1]) };
  return { tensor: tensor(name, "state", [1]), fixed: logOf(scale) };
}
