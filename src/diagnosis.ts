// What may be the cause where a loss or a gradient isn't finite, in words that lead to the remedy.
import { product } from "./checks.js";
import type { Dataset } from "./data/dataset.js";

/** Values beyond this are suspect for a model whose weights begin near 1. */
const LARGE = 1e3;

const shown = (value: number) => (Math.abs(value) < 1e7 ? String(value) : value.toExponential(2));

/** Of data with a value far from what a network takes: that value, its place, and what to do. */
export function unscaled(dataset: Dataset): string | undefined {
  const { values, shape, name } = dataset;
  if (!(values instanceof Float32Array)) return undefined;
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]!) > Math.abs(values[largest]!)) largest = i;
  if (!(Math.abs(values[largest]!) > LARGE)) return undefined;
  const size = product(shape);
  return (
    `The largest value of ${name} is ${shown(values[largest]!)}, in row ${Math.floor(largest / size)}, column ` +
    `${largest % size}: scale its columns first, as datasets.standardise does`
  );
}

/** The remedy for a run whose figures went wrong at `step` with the rate it had there. */
export function remedy(dataset: Dataset, step: number, rate: number, clampedShare: number): string {
  const data = unscaled(dataset);
  if (data) return `${data}.`;
  const clamped =
    clampedShare === 1
      ? " All log variances lie outside [-10, 10]: the data's columns may be far from a standard deviation of 1."
      : "";
  if (step === 0)
    return `It is so from the first step on: look at the data, and at weights that were loaded.${clamped}`;
  return `A smaller learning rate than ${rate} may help, or clipNorm.${clamped}`;
}
