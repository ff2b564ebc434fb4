// A data set from an array that NumPy saved: pictures or rows of features.

import { WebvaeError } from "../errors.js";
import { optionsOf } from "../options.js";
import { describe, product } from "../checks.js";
import { fromArray } from "./arrays.js";
import { invalidData, notFinite, type Dataset } from "./dataset.js";
import { gunzipIfNeeded, MAX_FILE_BYTES } from "./idx.js";
import { readNpy, type NpyArray } from "./npy.js";

/** What the array is. */
export interface FromNpyOptions {
  /** Another npy file: one whole number in 0..255 per example. */
  labels?: Uint8Array;
  name?: string;
}

/**
 * A Dataset from an npy file, gzip or not, of u1, f4 or f8 (little endian, C order): pictures [n, h, w] or [n, h, w, c],
 * or rows [n, d]. Bytes stand for value / 255, and so do floats that are all whole numbers in 0..255; other floats are
 * taken as they are, and those of pictures must lie in [0, 1]. Throws INVALID_FILE, INVALID_DATA and INVALID_OPTION.
 */
export async function fromNpy(bytes: Uint8Array, options: FromNpyOptions = {}): Promise<Dataset> {
  const { labels: labelBytes, name = "npy" } = optionsOf(options, "fromNpy", ["labels", "name"]);
  const array = await read(bytes, name);
  const [count, ...shape] = array.shape;
  if (count === undefined || shape.length < 1 || shape.length > 3) {
    const what = array.shape.length > 0 ? `shape ${array.shape.join("x")}` : "a single number";
    throw new WebvaeError("INVALID_FILE", `${name}: ${what} is not [n, h, w], [n, h, w, c] or [n, d].`);
  }
  const values = array.values instanceof Uint8Array ? array.values : fromFloats(array.values, shape, name);
  if (shape.length === 2) shape.push(1);
  if (labelBytes === undefined) return fromArray(values, { shape, name });

  const labels = await read(labelBytes, `${name} labels`);
  if (labels.shape.length !== 1) {
    throw new WebvaeError(
      "INVALID_FILE",
      `${name} labels: expected one number per example, got shape ${labels.shape.join("x") || "()"}.`,
    );
  }
  if (labels.shape[0] !== count) {
    throw new WebvaeError("INVALID_FILE", `${name}: ${count} examples but ${labels.shape[0]} labels.`);
  }
  return fromArray(values, {
    shape,
    labels: labels.values instanceof Uint8Array ? labels.values : [...labels.values],
    name,
  });
}

async function read(bytes: Uint8Array, name: string): Promise<NpyArray> {
  if (!(bytes instanceof Uint8Array)) {
    throw new WebvaeError("INVALID_FILE", `${name}: must be a Uint8Array, not ${describe(bytes)}.`);
  }
  return readNpy(await gunzipIfNeeded(bytes, { maxBytes: MAX_FILE_BYTES, name }), { name });
}

/** By what the values are, for the file does not say: bytes that were made floats, shares, or features of any size. */
function fromFloats(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  name: string,
): Uint8Array | Float32Array {
  let [least, most] = [Infinity, -Infinity];
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // Here, so that the message shows the file's number: 1e39 is finite, but not as a 32-bit float.
    if (!Number.isFinite(Math.fround(value))) throw notFinite(name, i, product(shape), value);
    if (value < least) least = value;
    if (value > most) most = value;
    whole &&= Number.isInteger(value);
  }
  const floats = () => (values instanceof Float32Array ? values : Float32Array.from(values));
  // Zeros and ones alone are shares: black and white.
  if (least >= 0 && most <= 1) return floats();
  if (whole && least >= 0 && most <= 255) return Uint8Array.from(values);
  if (shape.length === 1) return floats();
  throw invalidData(
    name,
    `values from ${least} to ${most}${whole ? "" : ", not all of them whole"}; those of pictures must lie in [0, 1] ` +
      "or be whole numbers from 0 to 255",
  );
}
