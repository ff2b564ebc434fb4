// The form of every data set: examples of one shape, as bytes (images, scaled by 1/255 on the GPU) or floats; and the
// checks that it must pass before training.
import { quoted, product } from "../checks.js";
import { hintFor, invalidData, notFinite, whatIs } from "./refusals.js";

/**
 * Examples of one shape, in memory. A call borrows them: it reads the arrays until it settles, so they must not be
 * changed or transferred to another thread before then.
 */
export interface Dataset {
  /** Short name for display: "mnist", "digits". */
  readonly name: string;
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  readonly shape: readonly number[];
  readonly count: number;
  /** count x prod(shape) values, row-major (NHWC). Bytes stand for value / 255. */
  readonly values: Uint8Array | Float32Array;
  /** One class index per example, if known. */
  readonly labels?: Uint8Array;
}

/**
 * Checks shape, sizes and labels, and that every float is finite. Throws INVALID_DATA with the first error; the message
 * begins with `what` and the data set's name. For a value that is not a Dataset, it suggests a call that makes one with
 * examples of `shape`.
 */
export function validateDataset(dataset: Dataset, what = "", shape?: readonly number[]): void {
  const given: unknown = dataset;
  // `values` alone is not enough, since a Map and a typed array have that too.
  if (given === null || typeof given !== "object" || !("shape" in given && "values" in given)) {
    throw invalidData(what || "data set", `expected a Dataset, found ${whatIs(given)}${hintFor(given, shape ?? [])}`);
  }
  const { count, values, labels } = dataset;
  const name = `${what} ${typeof dataset.name === "string" ? dataset.name : "without a name"}`.trim();
  const size = exampleSize(dataset.shape, name);
  if (!Number.isSafeInteger(count) || count < 1)
    throw invalidData(name, `count must be a positive integer, not ${quoted(count)}`);
  if (!(values instanceof Uint8Array || values instanceof Float32Array)) {
    const found = `values must be a Uint8Array or a Float32Array, not ${whatIs(values)}`;
    throw invalidData(name, found + hintFor(values, dataset.shape));
  }
  if (values.length !== count * size) {
    throw invalidData(
      name,
      `${count} examples of ${dataset.shape.join("x")} take ${count * size} values, got ${values.length}`,
    );
  }
  if (labels !== undefined && !(labels instanceof Uint8Array)) {
    const found = `labels must be a Uint8Array, not ${whatIs(labels)}`;
    throw invalidData(name, `${found}; fromArray(values, { shape, labels }) makes one from whole numbers in 0..255`);
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
  const whole = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isSafeInteger(n) && n > 0);
  const size = whole ? product(shape) : NaN;
  if (!Number.isSafeInteger(size))
    throw invalidData(
      name,
      `shape must be positive integers, not ${Array.isArray(shape) ? `[${shape.map(quoted).join(", ")}]` : quoted(shape)}`,
    );
  return size;
}
