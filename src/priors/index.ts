// The priors by name, and one from JSON. The core has the standard normal one, which needs no type; the others are added
// once they are loaded (toolbox.ts).
import { extras } from "../extras.js";
import type { PriorJson, PriorTypes } from "./definition.js";

/** Of all that are loaded. */
export const priorTypes: PriorTypes = {};

/** A prior from JSON, as it is saved; undefined for N(0, 1). Throws INVALID_SPEC saying which there are. */
export const priorAt = (value: unknown) =>
  (value === undefined ? value : extras!.choiceAt(priorTypes, value, "prior", "normal")) as PriorJson | undefined;
