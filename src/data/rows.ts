// Converts a caller's examples, in any container, to bytes or floats, one example after another, and checks every
// value. Anything but a number is rejected, naming its place, since null, "" and true would silently become numbers.
import { product } from "../checks.js";
import { classOf, hintFor, invalidData, isBytes, isNumeric, notExact, notFinite, whatIs } from "./refusals.js";

/** Every typed array of numbers, so not of bigints. */
export type NumberArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Consecutive examples in a typed or plain array, or an array with one row per example. Bytes mean value / 255. */
export type Numbers = NumberArray | readonly number[] | readonly (NumberArray | readonly number[])[];

/** Whole numbers up to this are exact as 32-bit floats. */
export const EXACT = 2 ** 24;

/**
 * `given`, examples of `shape`, as bytes or floats, shared if it already is one of these. With a `count`, it is not
 * suspected of being RGBA pixels. Throws INVALID_DATA naming the row, column and value of the first non-number.
 */
export function valuesOf(
  given: unknown,
  shape: readonly number[],
  name: string,
  count?: number,
): Uint8Array | Float32Array {
  const size = product(shape);
  const type = classOf(given);
  if (isNumeric(type)) {
    const flat = given as NumberArray;
    if (type === "Uint8ClampedArray" && count === undefined) checkPixels(flat.length, shape, name);
    if (flat instanceof Uint8Array || flat instanceof Float32Array) return flat;
    // Clamped bytes, and arrays from another frame.
    if (isBytes(type)) return new Uint8Array(flat.buffer, flat.byteOffset, flat.length);
    return floats(flat, size, name);
  }
  if (!Array.isArray(given)) {
    const found = `found ${whatIs(given)}${hintFor(given)}`;
    throw invalidData(name, `expected a typed array of numbers, an array of numbers or of rows, ${found}`);
  }
  const first: unknown = given[0];
  if (first === null || typeof first !== "object") return floats(given, size, name);
  const bytes = isBytes(classOf(first));
  // Not forEach, which skips a sparse array's holes. All rows are checked before any memory is allocated.
  for (let r = 0; r < given.length; r++) {
    const row = given[r] as unknown[];
    const found = `row ${r} is ${whatIs(row)}`;
    if (!Array.isArray(row) && !isNumeric(classOf(row))) {
      throw invalidData(name, `${found}, not ${size} numbers${hintFor(row)}`);
    }
    if (row.length !== size) {
      const nested = Array.isArray(row[0]) ? "; flatten each example with row.flat(Infinity)" : "";
      throw invalidData(name, `row ${r} has ${row.length} values, but the shape has ${size}${nested}`);
    }
    if (isBytes(classOf(row)) !== bytes) {
      throw invalidData(
        name,
        `${found}, but row 0 is ${whatIs(first)}: rows of bytes, which stand for value / 255, cannot be mixed with others`,
      );
    }
  }
  const values = new (bytes ? Uint8Array : Float32Array)(given.length * size);
  given.forEach((row: NumberArray, r) => values.set(bytes ? row : floats(row, size, name, r), r * size));
  return values;
}

/** Numbers, unchanged, as floats: all examples of `size` values each, or only row number `row`. */
function floats(from: ArrayLike<unknown>, size: number, name: string, row = 0): Float32Array {
  const values = new Float32Array(from.length);
  const integers = /int/i.test(classOf(from));
  for (let i = 0; i < from.length; i++) {
    const value = from[i];
    const number = typeof value === "number" ? value : NaN;
    values[i] = number;
    const inexact = integers && Math.abs(number) > EXACT;
    // Checks the rounded value, as 1e39 is infinite in 32 bits, but the message shows the caller's number.
    if (inexact || !Number.isFinite(values[i])) {
      throw (inexact ? notExact : notFinite)(name, row * size + i, size, whatIs(value));
    }
  }
  return values;
}

/** A canvas has four values per pixel; throws INVALID_DATA if they could be mistaken for more examples. */
function checkPixels(length: number, shape: readonly number[], name: string): void {
  const [height = 0, width = 0, channels = 4] = shape;
  const pictures = length / (height * width * 4);
  if (channels === 4 || !pictures || !Number.isInteger(pictures)) return;
  const examples = (pictures * 4) / channels;
  throw invalidData(
    name,
    `are these ${pictures} RGBA pictures or ${examples} examples? For pictures use fromImageData(list, { channels: ` +
      `${channels} }), for examples fromArray(values, { shape, count: ${examples} })`,
  );
}
