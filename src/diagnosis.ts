// Advice for error messages about a loss or gradient that isn't finite: the likely cause, and what to try.
import { product } from "./checks.js";
import type { Dataset } from "./data/dataset.js";

/** Larger values are suspect, given initial weights near 1. */
const LARGE = 1e3;

const shown = (value: number) => (Math.abs(value) < 1e7 ? String(value) : value.toExponential(2));

/** If the data has a value far too large for a network: that value, its position, and what to do. */
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

/** What to try for a run that failed at `step` with the learning rate `rate`. */
export function remedy(dataset: Dataset, step: number, rate: number, clampedShare: number): string {
  const data = unscaled(dataset);
  if (data) return `${data}.`;
  const clamped =
    clampedShare === 1
      ? " All log variances lie outside [-10, 10]: the data's columns may be far from a standard deviation of 1."
      : "";
  if (step === 0) return `This is the very first step: check the data, and any weights that were loaded.${clamped}`;
  return `A smaller learning rate than ${rate} may help, or clipNorm.${clamped}`;
}
