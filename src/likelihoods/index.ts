// The likelihoods by name, and one from JSON. The core has Bernoulli's; the others are added once they are loaded
// (toolbox.ts).
import { invalid, objectAt, quoted } from "../checks.js";
import { bernoulliType } from "./bernoulli.js";
import type { LikelihoodJson, LikelihoodTypes } from "./definition.js";
import type { Likelihood } from "./json.js";

/** Of all that are loaded. */
export const likelihoodTypes: LikelihoodTypes = { bernoulli: bernoulliType };

/** As an object, whether it is given as one or by its name. */
const jsonOf = (likelihood: Likelihood) => (typeof likelihood === "string" ? { type: likelihood } : likelihood);

/** A likelihood's type, and the tensor that it is given besides the decoder's output, if it is given one. */
export function likelihoodOf(likelihood: Likelihood) {
  const json = jsonOf(likelihood);
  const type = likelihoodTypes[json.type]!;
  return { type, ...type.given?.(json) };
}

/** A likelihood from JSON, as it is saved. Throws INVALID_SPEC saying which there are, and which was meant. */
export function likelihoodAt(value: unknown): Likelihood {
  const types = Object.values(likelihoodTypes);
  const named = value !== null && typeof value === "object" ? (value as { type?: unknown }).type : value;
  const type = Object.hasOwn(likelihoodTypes, named as string)
    ? likelihoodTypes[named as LikelihoodJson["type"]]
    : undefined;
  const keys = Object.keys(type?.needs ?? {});
  if (!type || (named === value && keys.length > 0)) {
    const words = types.flatMap(({ words = [] }) => words);
    const [, meant] = words.find(([word]) => typeof named === "string" && word.test(named)) ?? [];
    invalid(
      `likelihood: expected ${types.map(({ example }) => example).join(" or ")}, found ${quoted(value)}` +
        (meant ? `; write ${meant}` : ""),
    );
  }
  const given = named === value ? {} : objectAt(value, "likelihood", ["type", ...keys]);
  if (keys.length === 0) return named as Likelihood;
  const checked = keys.map((key) => [key, type.needs[key]!(given[key], `likelihood: ${key}`, 0)]);
  return { type: named, ...Object.fromEntries(checked) } as Likelihood;
}
