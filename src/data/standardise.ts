// Shifts columns to mean 0 and scales them to standard deviation 1, as a Gaussian likelihood needs for features in
// arbitrary units, and converts the model's output back to those units.

import { optionsOf } from "../options.js";
import { product, reading } from "../checks.js";
import { validateDataset, type Dataset } from "./dataset.js";
import { classOf, invalidData, isNumeric, whatIs } from "./refusals.js";
import { valuesOf, type Numbers } from "./rows.js";

/** How each column is shifted and scaled: standardised = (value - mean) / scale. Bytes count as value / 255. */
export interface Standard {
  /** [columns]. A column is one value of an example, in row-major order of its shape. */
  readonly means: ArrayLike<number>;
  /** [columns], all above 0. */
  readonly scales: ArrayLike<number>;
}

/** A data set in standard units, and how to convert back. */
export interface Standardised extends Standard {
  /** The same examples and labels, as floats. */
  readonly dataset: Dataset;
  readonly means: Float64Array;
  readonly scales: Float64Array;
  /**
   * Converts examples in standard units, [n, columns] as returned by sample, decode and reconstruct, to the data's own
   * units (value / 255 for bytes). Throws INVALID_DATA.
   */
  readonly undo: (values: Numbers) => Float32Array<ArrayBuffer>;
}

/** The source of means and scales. */
export interface StandardiseOptions {
  /**
   * The means and scales of another set: a test set uses those of the training set. Either standardise's result, or its
   * means and scales stored as JSON. Default: the data's own.
   */
  like?: Standard;
}

/**
 * `dataset` with every column shifted and scaled to mean 0 and standard deviation 1 (of the population: divided by
 * count). A constant column has scale 1 and becomes 0. Throws INVALID_DATA and INVALID_OPTION.
 */
export function standardise(dataset: Dataset, options: StandardiseOptions = {}): Standardised {
  return reading("INVALID_DATA", "standardise", () => standardised(dataset, options));
}

function standardised(dataset: Dataset, options: StandardiseOptions): Standardised {
  const { like } = optionsOf(options, "standardise", ["like"]);
  validateDataset(dataset);
  const { name, shape, count, values } = dataset;
  const columns = product(shape);
  const { means, scales } = like === undefined ? standardOf(dataset, columns) : checked(like, columns, name);
  const unit = values instanceof Uint8Array ? 1 / 255 : 1;
  const standard = new Float32Array(values.length);
  for (let row = 0, i = 0; row < count; row++) {
    for (let c = 0; c < columns; c++, i++) standard[i] = (values[i]! * unit - means[c]!) / scales[c]!;
  }
  const made: Dataset = { ...dataset, shape: [...shape], values: standard };
  validateDataset(made, "standardised");
  return {
    dataset: made,
    means,
    scales,
    undo(given) {
      const rows = valuesOf(given, shape, name);
      if (rows instanceof Uint8Array || rows.length === 0 || rows.length % columns !== 0) {
        throw invalidData(name, `undo needs floats, n x ${columns}; found ${whatIs(given)}`);
      }
      return Float32Array.from(rows, (value, i) => value * scales[i % columns]! + means[i % columns]!);
    },
  };
}

/** Means first, then deviations from them, in f64, because with a large mean a sum of squares would lose all digits. */
function standardOf({ values, count }: Dataset, columns: number): { means: Float64Array; scales: Float64Array } {
  const unit = values instanceof Uint8Array ? 1 / 255 : 1;
  const means = new Float64Array(columns);
  const scales = new Float64Array(columns);
  const constant = new Uint8Array(columns).fill(1);
  for (let i = 0; i < values.length; i++) {
    const c = i % columns;
    means[c]! += values[i]!;
    if (values[i] !== values[c]) constant[c] = 0;
  }
  for (let c = 0; c < columns; c++) means[c] = constant[c] ? values[c]! : means[c]! / count;
  for (let i = 0; i < values.length; i++) scales[i % columns]! += (values[i]! - means[i % columns]!) ** 2;
  for (let c = 0; c < columns; c++) {
    means[c]! *= unit;
    scales[c] = constant[c] ? 1 : unit * Math.sqrt(scales[c]! / count);
  }
  return { means, scales };
}

function checked(like: Standard, columns: number, name: string): { means: Float64Array; scales: Float64Array } {
  const read = (key: "means" | "scales"): Float64Array => {
    const given: unknown = (like as Partial<Standard> | null)?.[key];
    const numbers = (Array.isArray(given) || isNumeric(classOf(given)) ? given : []) as ArrayLike<unknown>;
    const fits = (value: unknown) =>
      typeof value === "number" && Number.isFinite(value) && (key === "means" || value > 0);
    if (numbers.length !== columns || !Array.from(numbers).every(fits)) {
      const wanted = `${columns} finite numbers${key === "scales" ? " above 0" : ""}, one per column`;
      throw invalidData(name, `like.${key} must be ${wanted}, not ${whatIs(given)}`);
    }
    return Float64Array.from(numbers as ArrayLike<number>);
  };
  return { means: read("means"), scales: read("scales") };
}
