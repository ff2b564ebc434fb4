// Checks of plain JSON that comes from a caller or a file: each throws a WebvaeError that names the place.
import { WebvaeError, type ErrorCode } from "./errors.js";
import { meant } from "./words.js";

/** Above this many values a tensor cannot be addressed by any adapter; 2^30 floats are 4 GiB. */
export const LARGEST = 2 ** 30;

/** `value`, an object with no keys but `keys`. Throws `code` naming `place`. */
export function objectAt(
  value: unknown,
  place: string,
  keys: readonly string[],
  code?: ErrorCode,
): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    invalid(`${place}: expected an object, found ${describe(value)}`, code);
  }
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue;
    invalid(`${place}: unknown key "${key.slice(0, 80)}"; known are ${keys.join(", ")}${meant(key, keys)}`, code);
  }
  return value as Record<string, unknown>;
}

export function shapeAt(value: unknown, place: string): number[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > 3) {
    invalid(`${place}: expected a shape of 1 to 3 sizes, found ${describe(value)}`);
  }
  const shape = value.map((n: unknown, i) => countAt(n, `${place}[${i}]`));
  if (product(shape) > LARGEST) invalid(`${place}: ${show(shape)} has more than ${LARGEST} values`);
  return shape;
}

export function countAt(value: unknown, place: string, least = 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > LARGEST) {
    invalid(`${place}: expected a whole number from ${least} to ${LARGEST}, found ${describe(value)}`);
  }
  return value;
}

/** A number from `least` to below `end`. */
export function numberAt(value: unknown, place: string, least: number, end: number): number {
  if (typeof value !== "number" || !(value >= least && value < end)) {
    invalid(`${place}: expected a number from ${least} to below ${end}, found ${describe(value)}`);
  }
  return value;
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string): T {
  if (!allowed.includes(value as T)) {
    invalid(`${place}: expected one of ${allowed.join(", ")}, found ${describe(value)}${meant(value, allowed)}`);
  }
  return value as T;
}

/** A value from the caller, fit to be shown. */
export function describe(value: unknown): string {
  if (typeof value === "number" || value === undefined || value === null) return String(value);
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 80);
  } catch {
    return typeof value; // a bigint, or an object that holds itself
  }
}

export const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);
export const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

export function invalid(message: string, code: ErrorCode = "INVALID_SPEC"): never {
  throw new WebvaeError(code, message);
}
