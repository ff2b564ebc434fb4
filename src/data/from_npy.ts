// A data set from an array saved by NumPy: pictures or rows of features. The saved type decides what a value stands
// for, never the values themselves, so that two files of one set agree.

import { WebvaeError } from "../errors.js";
import { invalidOption, optionsOf } from "../options.js";
import { product, quoted, reading } from "../checks.js";
import { fromArray } from "./arrays.js";
import type { Dataset } from "./dataset.js";
import { gunzipIfNeeded } from "./gunzip.js";
import { npyLength, readNpy, type NpyArray } from "./npy.js";
import { invalidData, notExact, whatIs } from "./refusals.js";
import { EXACT, type NumberArray } from "./rows.js";

/** How to interpret the array. */
export interface FromNpyOptions {
  /** Another npy file with one whole number in 0..255 per example. */
  labels?: Uint8Array;
  name?: string;
  /** "first" for pictures [n, c, h, w], as in PyTorch. Default "last": [n, h, w] or [n, h, w, c]. */
  channels?: "first" | "last";
  /**
   * Divisor for the values: use 255 for pixels saved as floats or wide integers. Default 255 for u1, else 1.
   */
  scale?: number;
}

/**
 * A Dataset from an npy file in C order, gzipped or not: pictures [n, h, w] or [n, h, w, c], or rows [n, d]. Values of
 * type u1 are bytes, which stand for value / 255; b1 is 0 and 1; f2, f4, f8, i1 to i8 and u2 to u8 are used as they
 * are. The bytes are borrowed until the call settles, and the Dataset shares them where it can. Throws INVALID_FILE,
 * INVALID_OPTION, and INVALID_DATA for integers beyond 2^24 and for values that are not finite.
 */
export async function fromNpy(bytes: Uint8Array, options: FromNpyOptions = {}): Promise<Dataset> {
  const known = ["labels", "name", "channels", "scale"] as const;
  const { labels: labelBytes, name = "npy", channels = "last", scale } = optionsOf(options, "fromNpy", known);
  if (channels !== "first" && channels !== "last") {
    throw invalidOption(`${name}: channels must be "first" or "last", not ${quoted(channels)}`);
  }
  // Both at once, so that both are read before the caller continues.
  const [array, labels] = await Promise.all([
    read(bytes, name),
    labelBytes === undefined ? undefined : read(labelBytes, `${name} labels`),
  ]);
  const [count, ...shape] = array.shape;
  const shown = array.shape.length > 0 ? `shape ${array.shape.join("x")}` : "a single number";
  if (count === undefined || shape.length < 1 || shape.length > 3) {
    throw new WebvaeError("INVALID_FILE", `${name}: ${shown} is not [n, h, w], [n, h, w, c] or [n, d].`);
  }
  if (channels === "first" && shape.length !== 3) {
    throw new WebvaeError("INVALID_FILE", `${name}: channels "first" needs [n, c, h, w], not ${shown}.`);
  }
  const found = numbersOf(array, name);
  const values = channels === "first" ? channelsLast(found, shape) : found;
  if (channels === "first") shape.push(shape.shift()!);
  if (shape.length === 2) shape.push(1);
  const data = { shape, name, count, ...(scale === undefined ? {} : { scale }) };
  if (!labels) return fromArray(values, data);

  if (labels.shape.length !== 1) {
    throw new WebvaeError(
      "INVALID_FILE",
      `${name} labels: expected one number per example, got shape ${labels.shape.join("x") || "()"}.`,
    );
  }
  if (labels.shape[0] !== count) {
    throw new WebvaeError("INVALID_FILE", `${name}: ${count} examples but ${labels.shape[0]} labels.`);
  }
  return fromArray(values, { ...data, labels: numbersOf(labels, `${name} labels`, true) });
}

async function read(bytes: Uint8Array, name: string): Promise<NpyArray> {
  if (!reading("INVALID_FILE", name, () => bytes instanceof Uint8Array)) {
    throw new WebvaeError("INVALID_FILE", `${name}: must be a Uint8Array, not ${whatIs(bytes)}.`);
  }
  return readNpy(await gunzipIfNeeded(bytes, name, (head) => npyLength(head, name)), { name });
}

/** As numbers: 64-bit integers must be exact; booleans become floats, because the byte 1 would stand for 1 / 255. */
function numbersOf({ values, shape, type }: NpyArray, name: string, labels = false): NumberArray {
  const size = product(shape.slice(1));
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return Float64Array.from(values as BigInt64Array, (value, i) => {
      if (value > EXACT || value < -EXACT) throw notExact(name, i, size, value);
      return Number(value);
    });
  }
  if (type !== "b1" || labels) return values;
  const bad = values.findIndex((value) => value > 1);
  if (bad >= 0) throw invalidData(name, `value ${bad} of type b1 is ${values[bad]}, not 0 or 1`);
  return Float32Array.from(values);
}

/** [n, c, h, w] to [n, h, w, c]; `shape` is [c, h, w]. */
function channelsLast(values: NumberArray, shape: readonly number[]): NumberArray {
  const [channels = 1, height = 1, width = 1] = shape;
  const [pixels, size] = [height * width, channels * height * width];
  const turned = new (values.constructor as typeof Float32Array)(values.length);
  for (let first = 0; first < values.length; first += size) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) turned[first + p * channels + c] = values[first + c * pixels + p]!;
    }
  }
  return turned;
}
