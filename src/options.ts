// The checks of options that all calls share, so that nothing misspelt or of the wrong type is ignored.
import { WebvaeError } from "./errors.js";
import { objectAt, quoted, reading } from "./checks.js";

const powers: unknown[] = ["low-power", "high-performance"];
const flags = ["noise", "shuffle", "binarise", "trainingState", "dropLast"];

/**
 * A copy of `value`, an object that may only have keys in `known`. Only its own keys count, not inherited ones, and
 * later changes have no effect. Options that mean the same in all calls (split, seed, signal, all booleans, ...) are
 * checked here. Throws INVALID_OPTION naming `place`, the key and the value.
 */
export function optionsOf<T extends object>(value: T, place: string, known: readonly (keyof T & string)[]): T {
  const options = objectAt(value, place, known, "INVALID_OPTION");
  reading("INVALID_OPTION", place, () => checkEach(options, place, known));
  return options as T;
}

/** Checks the options that mean the same in all calls. */
function checkEach(options: Record<string, unknown>, place: string, known: readonly string[]): void {
  for (const key of known) {
    const given = options[key];
    const check = (fits: boolean, what: string) => {
      if (!fits) throw invalidOption(`${place}: ${key} must be ${what}, not ${quoted(given)}`);
    };
    if (key === "split") check(given === "train" || given === "test", '"train" or "test"');
    if (given === undefined) continue;
    // Training's noise is a number, and checked there.
    const flag = flags.includes(key) && !(key === "noise" && place === "train");
    if (flag) check(typeof given === "boolean", "true or false");
    if (key === "seed") check(Number.isSafeInteger(given) && (given as number) >= 0, "a whole number >= 0");
    if (key === "tuning") {
      const { load, save } = (given ?? {}) as Record<string, unknown>;
      check(given === false || !!(load && save), "false, or { load, save }");
    }
    // Recognized by methods rather than class, since a device may come from Dawn in Node or from another frame.
    if (key === "device") check(!!(given as GPUDevice | null)?.createCommandEncoder, "a GPUDevice");
    if (key === "gpu") check(!!(given as GPU | null)?.requestAdapter, "a GPU, like navigator.gpu");
    if (key === "powerPreference") check(powers.includes(given), powers.join(" or "));
    if (key === "name") check(typeof given === "string", "text");
    if (key === "timeoutMs") check(typeof given === "number" && given > 0, "a number of milliseconds above 0");
    if (key === "temperature") check(typeof given === "number" && given >= 0 && given <= 100, "a number from 0 to 100");
    if (key === "to") check(!!given, "a GPUBuffer");
    if (key === "signal") check(!!(given as AbortSignal | null)?.throwIfAborted, "an AbortSignal");
  }
}

/** `value`, a whole number from 1 to `most`. Throws INVALID_OPTION naming it. */
export function wholeNumber(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > most) {
    const range = most < Number.MAX_SAFE_INTEGER ? `from 1 to ${most}` : ">= 1";
    throw invalidOption(`${name} must be a whole number ${range}, not ${quoted(value)}`);
  }
  return value as number;
}

/** `value`, a number from `low` to `high`, or with `below` to less than that. Throws INVALID_OPTION naming it. */
export function inRange(name: string, value: unknown, low: number, high: number, below = false): number {
  const inside = typeof value === "number" && value >= low && (below ? value < high : value <= high);
  if (!inside)
    throw invalidOption(
      `${name} must be a number from ${low} to ${below ? "below " : ""}${high}, not ${quoted(value)}`,
    );
  return value;
}

/** The result of `make`, which allocates memory for the examples. Throws INVALID_OPTION if there are too many. */
export function allocated<T>(place: string, count: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw invalidOption(`${place}: ${count} examples do not fit in memory`, cause);
  }
}

export function invalidOption(message: string, cause?: unknown): WebvaeError {
  return new WebvaeError("INVALID_OPTION", message, { cause });
}
