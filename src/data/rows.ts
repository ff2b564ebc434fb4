// Examples in whatever container a caller has them: made bytes or floats, one example after another, every value
// checked. What is not a number is refused where it stands, since null, "" and true would all become one.
import { product } from "../checks.js";
import { classOf, hintFor, invalidData, isBytes, isNumeric, notExact, notFinite, whatIs } from "./refusals.js";

/** Every typed array of numbers. Those of bigints are none. */
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

/** Examples one after another in a typed array or a plain one, or a row for each. Uint8 means value / 255. */
export type Numbers = NumberArray | readonly number[] | readonly (NumberArray | readonly number[])[];

/** Whole numbers up to here are exact as 32-bit floats. */
export const EXACT = 2 ** 24;

/**
 * `given` as bytes or floats, shared where it is one of these already. Throws INVALID_DATA naming the first row, column
 * and value that is no number. A `count` tells that so many examples are meant.
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
    // Clamped ones, and those of another frame.
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
  // Not forEach, which passes over what a sparse array lacks; and all before any room is made.
  for (let r = 0; r < given.length; r++) {
    const row = given[r] as unknown[];
    const found = `row ${r} is ${whatIs(row)}`;
    if (!Array.isArray(row) && !isNumeric(classOf(row))) {
      throw invalidData(name, `${found}, not ${size} numbers${hintFor(row)}`);
    }
    if (row.length !== size) {
      const nested = Array.isArray(row[0]) ? "; row.flat(Infinity) makes one list of an example" : "";
      throw invalidData(name, `row ${r} has ${row.length} values, the shape takes ${size}${nested}`);
    }
    if (isBytes(classOf(row)) !== bytes) {
      throw invalidData(name, `${found} and row 0 ${whatIs(first)}: bytes stand for value / 255`);
    }
  }
  const values = new (bytes ? Uint8Array : Float32Array)(given.length * size);
  given.forEach((row: NumberArray, r) => values.set(bytes ? row : floats(row, size, name, r), r * size));
  return values;
}

/** Numbers that are taken as they are: `row` of `size` values, or one row after another. */
function floats(from: ArrayLike<unknown>, size: number, name: string, row = 0): Float32Array {
  const values = new Float32Array(from.length);
  const integers = /int/i.test(classOf(from));
  for (let i = 0; i < from.length; i++) {
    const value = from[i];
    const number = typeof value === "number" ? value : NaN;
    values[i] = number;
    const inexact = integers && Math.abs(number) > EXACT;
    // Of what was rounded, but with the caller's number in the message: 1e39 is finite, though not as a 32-bit float.
    if (inexact || !Number.isFinite(values[i])) {
      throw (inexact ? notExact : notFinite)(name, row * size + i, size, whatIs(value));
    }
  }
  return values;
}

/** A canvas gives four values a pixel: throws where they would be taken for four times as many examples. */
function checkPixels(length: number, shape: readonly number[], name: string): void {
  const [height = 0, width = 0, channels = 4] = shape;
  const pictures = length / (height * width * 4);
  if (channels === 4 || !pictures || !Number.isInteger(pictures)) return;
  const examples = (pictures * 4) / channels;
  throw invalidData(
    name,
    `pixels of ${pictures} RGBA pictures or ${examples} examples? fromImageData(list, { channels: ${channels} }) takes ` +
      `pictures, fromArray(values, { shape, count: ${examples} }) examples`,
  );
}
