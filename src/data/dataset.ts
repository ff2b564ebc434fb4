// What every data set is: examples of one shape, as bytes (images, scaled by 1/255 on the GPU) or floats; and the checks
// that it must pass before it is trained on.
import { WebvaeError } from "../errors.js";
import { describe, product } from "../checks.js";

/** Examples of one shape, in memory. */
export interface Dataset {
  /** Short name for display: "mnist", "digits". */
  readonly name: string;
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  readonly shape: readonly number[];
  readonly count: number;
  /** count x prod(shape) values, row-major (NHWC). Bytes stand for value / 255. */
  readonly values: Uint8Array | Float32Array;
  /** One class index per example, where known. */
  readonly labels?: Uint8Array;
}

/**
 * Checks shape, sizes, labels and that every float is finite. Throws INVALID_DATA naming the first fault, and before
 * its name `what` the data set is.
 */
export function validateDataset(dataset: Dataset, what = ""): void {
  if (dataset === null || typeof dataset !== "object") {
    throw invalidData(what || "data set", `expected an object, found ${describe(dataset)}`);
  }
  const { count, values, labels } = dataset;
  const name = `${what && `${what} `}${dataset.name ?? "without a name"}`;
  const size = exampleSize(dataset.shape, name);
  if (!Number.isSafeInteger(count) || count < 1)
    throw invalidData(name, `count must be a positive integer, not ${count}`);
  if (!(values instanceof Uint8Array || values instanceof Float32Array)) {
    throw invalidData(name, "values must be a Uint8Array or a Float32Array");
  }
  if (values.length !== count * size) {
    throw invalidData(
      name,
      `${count} examples of ${dataset.shape.join("x")} take ${count * size} values, got ${values.length}`,
    );
  }
  if (labels && labels.length !== count) throw invalidData(name, `${labels.length} labels for ${count} examples`);
  if (values instanceof Float32Array) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw notFinite(name, i, size, values[i]);
    }
  }
}

/** Values of one example. */
export function exampleSize(shape: readonly number[], name: string): number {
  const size = Array.isArray(shape) && shape.length > 0 ? product(shape) : NaN;
  if (!Number.isSafeInteger(size) || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
    const given = Array.isArray(shape) ? `[${shape.join(", ")}]` : describe(shape);
    throw invalidData(name, `shape must be positive integers, not ${given}`);
  }
  return size;
}

export function notFinite(name: string, index: number, size: number, value: unknown): WebvaeError {
  return invalidData(
    name,
    `value ${index} (row ${Math.floor(index / size)}, column ${index % size}) is ${value}, not a finite 32-bit float`,
  );
}

export function invalidData(name: string, why: string): WebvaeError {
  return new WebvaeError("INVALID_DATA", `${name}: ${why}.`);
}
