// Data sets from a caller's arrays.

import { invalidOption, optionsOf, wholeNumber } from "../options.js";
import { product, quoted, reading } from "../checks.js";
import { exampleSize, validateDataset, type Dataset } from "./dataset.js";
import { classOf, hintFor, invalidData, isNumeric, whatIs } from "./refusals.js";
import { valuesOf, type NumberArray, type Numbers } from "./rows.js";

/** How to interpret an array's values. */
export interface FromArrayOptions {
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  shape: readonly number[];
  /** One class index in 0..255 per example. */
  labels?: NumberArray | readonly number[];
  name?: string;
  /** The required number of examples. Default: as many as the values make. */
  count?: number;
  /** Divisor for the values. Default 255 for bytes (Uint8Array, Uint8ClampedArray), 1 for all others. */
  scale?: number;
}

/**
 * A Dataset over the caller's values: count x prod(shape) of them, flat, or one row of prod(shape) per example. Bytes
 * stand for value / 255; all other numbers are used unchanged. A flat Uint8Array, Uint8ClampedArray or Float32Array is
 * shared, not copied, unless `scale` divides it. Throws INVALID_OPTION, and INVALID_DATA for a value that is not a
 * number or is infinite as a 32-bit float, for an integer beyond 2^24 in an integer array, and for what looks like
 * canvas pixels, which need fromImageData.
 */
export function fromArray(values: Numbers, options: FromArrayOptions): Dataset {
  return reading("INVALID_DATA", "fromArray", () => datasetOf(values, options));
}

function datasetOf(values: Numbers, options: FromArrayOptions): Dataset {
  const known = ["shape", "labels", "name", "count", "scale"] as const;
  const { name = "array", labels, count, scale, shape } = optionsOf(options, "fromArray", known);
  const size = exampleSize(shape, name);
  if (count !== undefined) wholeNumber(`${name}: count`, count);
  const flat = scaled(valuesOf(values, shape, name, count), scale, name);
  if (flat.length === 0) throw invalidData(name, "there are no examples");
  const found = flat.length / size;
  if (!Number.isInteger(found) || (count ?? found) !== found) {
    const wanted = count === undefined ? "" : `${count} `;
    const rgba = shape.length === 3 && flat.length % (4 * shape[0]! * shape[1]!) === 0 && shape[2] !== 4;
    const hint = rgba ? "; for pictures of red, green, blue and alpha use fromImageData" : "";
    throw invalidData(
      name,
      `${flat.length} values do not divide into ${wanted}examples of ${shape.join("x")} = ${size}${hint}`,
    );
  }
  const dataset: Dataset = {
    name,
    shape: [...shape],
    count: found,
    values: flat,
    ...(labels === undefined ? {} : { labels: labelBytes(labels, name) }),
  };
  validateDataset(dataset);
  return dataset;
}

/** The first `count` examples (all of them if there are fewer). Shares memory with `dataset`. */
export function take(dataset: Dataset, count: number): Dataset {
  reading("INVALID_DATA", "take", () => validateDataset(dataset));
  const kept = Math.min(wholeNumber("take: count", count), dataset.count);
  return {
    ...dataset,
    count: kept,
    values: dataset.values.subarray(0, kept * product(dataset.shape)),
    ...(dataset.labels ? { labels: dataset.labels.subarray(0, kept) } : {}),
  };
}

/** `values` divided by `scale`. With a scale of 255, bytes stay unchanged, since they are divided when used. */
function scaled(values: Uint8Array | Float32Array, scale: number | undefined, name: string): Uint8Array | Float32Array {
  if (scale === undefined) return values;
  if (!(typeof scale === "number" && scale > 0 && Number.isFinite(scale))) {
    throw invalidOption(`${name}: scale must be a positive number, not ${quoted(scale)}`);
  }
  if (values instanceof Uint8Array && scale === 255) return values;
  return Float32Array.from(values, (value) => value / scale);
}

/** Labels in 0..255 as bytes; a Uint8Array is shared. Throws INVALID_DATA. */
function labelBytes(labels: unknown, name: string): Uint8Array {
  if (labels instanceof Uint8Array) return labels;
  if (!Array.isArray(labels) && !isNumeric(classOf(labels))) {
    const found = `labels must be a typed array or an array of numbers, not ${whatIs(labels)}`;
    throw invalidData(name, found + hintFor(labels));
  }
  const given = labels as NumberArray;
  const bytes = new Uint8Array(given.length);
  for (let i = 0; i < given.length; i++) {
    const label: unknown = given[i];
    bytes[i] = typeof label === "number" ? label : 0;
    if (bytes[i] !== label) throw invalidData(name, `label ${i} is ${whatIs(label)}, not an integer in 0..255`);
  }
  return bytes;
}
