// The priors that only some models have, which are loaded when a spec names one.
import type { PriorTypes } from "./definition.js";
import { mixtureType } from "./mixture.js";

export const furtherPriors: PriorTypes = { mixture: mixtureType };
