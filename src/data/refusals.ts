// Errors for invalid data, which name the row, column and value, or say what was given and which call accepts it.
import { quoted } from "../checks.js";
import { WebvaeError } from "../errors.js";

export function invalidData(name: string, why: string): WebvaeError {
  return new WebvaeError("INVALID_DATA", `${name}: ${why}.`);
}

/** The row and column of the value at `index`, and the value: a number, or a description of what is not one. */
const valueAt = (index: number, size: number, value: number | bigint | string | undefined) =>
  `value ${index} (row ${Math.floor(index / size)}, column ${index % size}) is ${value}`;

export function notFinite(
  name: string,
  index: number,
  size: number,
  value: number | bigint | string | undefined,
): WebvaeError {
  return invalidData(name, `${valueAt(index, size, value)}, not a finite 32-bit float`);
}

/** For an integer that a 32-bit float would change. */
export function notExact(
  name: string,
  index: number,
  size: number,
  value: number | bigint | string | undefined,
): WebvaeError {
  return invalidData(name, `${valueAt(index, size, value)}; integers beyond 2^24 are not exact as 32-bit floats`);
}

/** The class name of a typed array, even one from another frame; "" for anything else. */
export const classOf = (value: unknown): string =>
  ArrayBuffer.isView(value) ? ((value as Uint8Array)[Symbol.toStringTag] ?? "DataView") : "";
export const isBytes = (name: string) => name.startsWith("Uint8");
export const isNumeric = (name: string) => /^[UIF]/.test(name);

/** A caller's value in words for a message: "a Float64Array of 12", "an array of 3", "a Promise". */
export function whatIs(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return quoted(value);
  try {
    return kindOf(value);
  } catch {
    return "an unreadable object";
  }
}

function kindOf(value: object): string {
  const type = Object.prototype.toString.call(value).slice(8, -1);
  if (type === "Object") return `an object with the keys ${Object.keys(value).join(", ").slice(0, 80)}`;
  const of = Array.isArray(value) || classOf(value) ? ` of ${(value as unknown[]).length}` : "";
  return `${/^[AEIO]/.test(type) ? "an" : "a"} ${type}${of}`;
}

/** The end of a message about `value`: which call turns it into examples, or "". */
export function hintFor(value: unknown, shape?: readonly number[]): string {
  const given = (Array.isArray(value) ? value[0] : value) as Record<string, unknown> | null | undefined;
  if (typeof given?.then === "function") return "; await it first";
  if (given?.data && given.width) return "; for pictures use fromImageData(list, { channels }) from webvae/datasets";
  if (given?.mapState) return "; pass it as { buffer, count }";
  if (classOf(given).startsWith("Big")) return "; convert them with Float64Array.from(values, Number)";
  if (!shape) return "";
  return `; make a Dataset with fromArray(values, { shape: [${shape.join(", ")}] }) from webvae/datasets`;
}
