// Data sets from the caller's own arrays, and the checks that every data set must pass before it is trained on.

import { WebvaeError } from "../errors.js";
import { optionsOf, wholeNumber } from "../options.js";
import { describe, product } from "../spec.js";
import type { Dataset } from "./dataset.js";

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
  if (flat.length === 0) throw fail(name, "there are no examples");
  if (flat.length % size !== 0) {
    throw fail(name, `${flat.length} values do not divide into examples of ${options.shape.join("x")} = ${size}`);
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

/**
 * Checks shape, sizes, labels and that every float is finite. Throws INVALID_DATA naming the first fault, and before
 * its name `what` the data set is.
 */
export function validateDataset(dataset: Dataset, what = ""): void {
  if (dataset === null || typeof dataset !== "object") {
    throw fail(what || "data set", `expected an object, found ${describe(dataset)}`);
  }
  const { count, values, labels } = dataset;
  const name = `${what && `${what} `}${dataset.name ?? "without a name"}`;
  const size = exampleSize(dataset.shape, name);
  if (!Number.isSafeInteger(count) || count < 1) throw fail(name, `count must be a positive integer, not ${count}`);
  if (!(values instanceof Uint8Array || values instanceof Float32Array)) {
    throw fail(name, "values must be a Uint8Array or a Float32Array");
  }
  if (values.length !== count * size) {
    throw fail(
      name,
      `${count} examples of ${dataset.shape.join("x")} take ${count * size} values, got ${values.length}`,
    );
  }
  if (labels && labels.length !== count) throw fail(name, `${labels.length} labels for ${count} examples`);
  if (values instanceof Float32Array) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw notFinite(name, i, size, values[i]);
    }
  }
}

function exampleSize(shape: readonly number[], name: string): number {
  const size = Array.isArray(shape) && shape.length > 0 ? product(shape) : NaN;
  if (!Number.isSafeInteger(size) || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
    const given = Array.isArray(shape) ? `[${shape.join(", ")}]` : describe(shape);
    throw fail(name, `shape must be positive integers, not ${given}`);
  }
  return size;
}

function flatten(values: Parameters<typeof fromArray>[0], size: number, name: string): Uint8Array | Float32Array {
  if (values instanceof Uint8Array || values instanceof Float32Array) return values;
  if (values instanceof Uint8ClampedArray) return new Uint8Array(values.buffer, values.byteOffset, values.length);
  if (!Array.isArray(values)) {
    throw fail(name, "values must be a Uint8Array, a Uint8ClampedArray, a Float32Array or rows of numbers");
  }
  const rows = values as readonly (readonly number[])[];
  const badRow = rows.findIndex((row) => row?.length !== size);
  if (badRow >= 0) {
    throw fail(name, `row ${badRow} has ${rows[badRow]?.length ?? "no"} values, the shape takes ${size}`);
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
  if (!Array.isArray(labels)) throw fail(name, `labels must be a Uint8Array or an array, not ${describe(labels)}`);
  const bad = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > 255);
  if (bad >= 0) throw fail(name, `label ${bad} is ${labels[bad]}, not an integer in 0..255`);
  return Uint8Array.from(labels);
}

function notFinite(name: string, index: number, size: number, value: unknown): WebvaeError {
  return fail(
    name,
    `value ${index} (row ${Math.floor(index / size)}, column ${index % size}) is ${value}, not a finite 32-bit float`,
  );
}

function fail(name: string, why: string): WebvaeError {
  return new WebvaeError("INVALID_DATA", `${name}: ${why}.`);
}
