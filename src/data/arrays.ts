// Data sets from the caller's own arrays.

import { optionsOf, wholeNumber } from "../options.js";
import { describe, product } from "../checks.js";
import { exampleSize, invalidData, notFinite, validateDataset, type Dataset } from "./dataset.js";

/** What the values are. */
export interface FromArrayOptions {
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  shape: readonly number[];
  /** One class index in 0..255 per example. */
  labels?: Uint8Array | readonly number[];
  name?: string;
}

/**
 * A Dataset over the caller's values: count x prod(shape), flat, or one row of prod(shape) numbers per example.
 * Bytes stand for value / 255; floats are taken as they are. Typed arrays are shared, not copied. Throws INVALID_DATA
 * and INVALID_OPTION.
 */
export function fromArray(
  values: Uint8Array | Uint8ClampedArray | Float32Array | readonly (readonly number[])[],
  options: FromArrayOptions,
): Dataset {
  const { name = "array" } = optionsOf(options, "fromArray", ["shape", "labels", "name"]);
  const size = exampleSize(options.shape, name);
  const flat = flatten(values, size, name);
  if (flat.length === 0) throw invalidData(name, "there are no examples");
  if (flat.length % size !== 0) {
    throw invalidData(
      name,
      `${flat.length} values do not divide into examples of ${options.shape.join("x")} = ${size}`,
    );
  }
  const dataset: Dataset = {
    name,
    shape: [...options.shape],
    count: flat.length / size,
    values: flat,
    ...(options.labels ? { labels: labelBytes(options.labels, name) } : {}),
  };
  validateDataset(dataset);
  return dataset;
}

/** The first `count` examples (all of them when there are fewer). Shares memory with `dataset`. */
export function take(dataset: Dataset, count: number): Dataset {
  validateDataset(dataset);
  const kept = Math.min(wholeNumber("take: count", count), dataset.count);
  return {
    ...dataset,
    count: kept,
    values: dataset.values.subarray(0, kept * product(dataset.shape)),
    ...(dataset.labels ? { labels: dataset.labels.subarray(0, kept) } : {}),
  };
}

function flatten(values: Parameters<typeof fromArray>[0], size: number, name: string): Uint8Array | Float32Array {
  if (values instanceof Uint8Array || values instanceof Float32Array) return values;
  if (values instanceof Uint8ClampedArray) return new Uint8Array(values.buffer, values.byteOffset, values.length);
  if (!Array.isArray(values)) {
    throw invalidData(name, "values must be a Uint8Array, a Uint8ClampedArray, a Float32Array or rows of numbers");
  }
  const rows = values as readonly (readonly number[])[];
  const badRow = rows.findIndex((row) => row?.length !== size);
  if (badRow >= 0) {
    throw invalidData(name, `row ${badRow} has ${rows[badRow]?.length ?? "no"} values, the shape takes ${size}`);
  }
  const flat = new Float32Array(rows.length * size);
  rows.forEach((row, r) => {
    for (let c = 0; c < size; c++) {
      const i = r * size + c;
      flat[i] = row[c]!;
      // Here too, so that the message shows the caller's number: 1e39 is finite, but not as a 32-bit float.
      if (!Number.isFinite(flat[i])) throw notFinite(name, i, size, row[c]);
    }
  });
  return flat;
}

function labelBytes(labels: Uint8Array | readonly number[], name: string): Uint8Array {
  if (labels instanceof Uint8Array) return labels;
  if (!Array.isArray(labels))
    throw invalidData(name, `labels must be a Uint8Array or an array, not ${describe(labels)}`);
  const bad = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > 255);
  if (bad >= 0) throw invalidData(name, `label ${bad} is ${labels[bad]}, not an integer in 0..255`);
  return Uint8Array.from(labels);
}
