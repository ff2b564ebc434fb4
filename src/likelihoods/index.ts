// The likelihoods by name, and one from JSON. The core has Bernoulli's; the others are added once they are loaded
// (toolbox.ts).
import { extras } from "../extras.js";
import { bernoulliType } from "./bernoulli.js";
import type { LikelihoodTypes } from "./definition.js";
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
export const likelihoodAt = (value: unknown) =>
  (value === "bernoulli" ? value : extras!.choiceAt(likelihoodTypes, value, "likelihood")) as Likelihood;
