// Checks of plain JSON from a caller or a file. Each throws a WebvaeError that names the place.
import { WebvaeError, type ErrorCode } from "./errors.js";
import { meant } from "./words.js";

/** No adapter can address a tensor with more values than this; 2^30 floats are 4 GiB. */
export const LARGEST = 2 ** 30;

/**
 * The result of `read`, which reads a caller's value. If a proxy or getter in it throws, throws `code` like any other
 * check.
 */
export function reading<T>(code: ErrorCode, place: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof WebvaeError) throw cause;
    throw new WebvaeError(code, `${place}: the value cannot be read`, { cause });
  }
}

/**
 * A copy of `value`, an object that may only have keys in `keys`. Only its own keys count, not inherited ones. Throws
 * `code` naming `place`.
 */
export function objectAt(
  value: unknown,
  place: string,
  keys: readonly string[],
  code?: ErrorCode,
): Record<string, unknown> {
  const own = reading(code ?? "INVALID_SPEC", place, () => {
    if (value === null || typeof value !== "object" || Array.isArray(value) || ArrayBuffer.isView(value)) {
      invalid(`${place}: expected an object, found ${quoted(value)}`, code);
    }
    return { ...(value as Record<string, unknown>) };
  });
  for (const key of Object.keys(own)) {
    if (keys.includes(key)) continue;
    invalid(`${place}: unknown key "${key.slice(0, 80)}"; known are ${keys.join(", ")}${meant(key, keys)}`, code);
  }
  return own;
}

export function shapeAt(value: unknown, place: string): number[] {
  const shape = reading("INVALID_SPEC", place, () => {
    if (!Array.isArray(value) || value.length < 1 || value.length > 3) {
      invalid(`${place}: expected a shape of 1 to 3 sizes, found ${quoted(value)}`);
    }
    return value.map((n: unknown, i) => countAt(n, `${place}[${i}]`));
  });
  if (product(shape) > LARGEST) invalid(`${place}: ${show(shape)} has more than ${LARGEST} values`);
  return shape;
}

export function countAt(value: unknown, place: string, least = 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > LARGEST) {
    invalid(`${place}: expected a whole number from ${least} to ${LARGEST}, found ${quoted(value)}`);
  }
  return value;
}

/** A number from `least` to below `end`. */
export function numberAt(value: unknown, place: string, least: number, end: number): number {
  if (typeof value !== "number" || !(value >= least && value < end)) {
    invalid(`${place}: expected a number from ${least} to below ${end}, found ${quoted(value)}`);
  }
  return value;
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string): T {
  if (!allowed.includes(value as T)) {
    invalid(`${place}: expected one of ${allowed.join(", ")}, found ${quoted(value)}${meant(value, allowed)}`);
  }
  return value as T;
}

/** A caller's value as text for a message, even if it does not convert to text or is very long. */
export function quoted(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || !["object", "string", "function"].includes(typeof value)) return String(value);
  try {
    if (ArrayBuffer.isView(value)) return `a typed array of ${value.byteLength} bytes`;
    // The start of a long list is enough.
    const short = Array.isArray(value) ? value.slice(0, 20) : value;
    return (JSON.stringify(short) ?? typeof value).slice(0, 80);
  } catch {
    return typeof value; // contains itself, a bigint, or a getter that throws
  }
}

export const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);
export const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

export function invalid(message: string, code: ErrorCode = "INVALID_SPEC"): never {
  throw new WebvaeError(code, message);
}
