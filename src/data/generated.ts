// Shared by the generated data sets: their options, and each example's own random numbers.

import { quoted } from "../checks.js";
import { invalidOption, optionsOf } from "../options.js";
import { RandomSequence, Stream } from "../random.js";

/** Which examples, and how many. */
export interface GeneratedOptions {
  /** The splits of one seed share no random numbers. */
  split: "train" | "test";
  /** Number of examples. The first n are the same for every count. */
  count: number;
  /** Any safe integer >= 0. */
  seed: number;
}

/** Random numbers of example i: a substream per example and split, so that neither count nor order matters. */
export function exampleRandom(seed: number, split: "train" | "test", index: number): RandomSequence {
  return new RandomSequence(seed, Stream.data, 2 * index + (split === "test" ? 1 : 0));
}

/** Checks the options that all generated data sets share; `more` names further ones. Throws INVALID_OPTION. */
export function checkGenerated<T extends GeneratedOptions>(name: string, options: T, ...more: (keyof T & string)[]): T {
  const own = optionsOf(options, name, ["split", "count", "seed", ...more]);
  const { count, seed } = own;
  const fail = (why: string) => invalidOption(`${name}: ${why}.`);
  // Two 32-bit substreams per example.
  if (!Number.isSafeInteger(count) || count < 1 || count >= 2 ** 31) {
    throw fail(`count must be an integer from 1 to 2^31 - 1, not ${quoted(count)}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) throw fail(`seed must be an integer >= 0, not ${quoted(seed)}`);
  return own;
}
