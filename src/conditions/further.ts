// The conditions that only some models have, which are loaded when a spec names one.
import type { ConditionTypes } from "./definition.js";
import { labelType } from "./label.js";

export const furtherConditions: ConditionTypes = { label: labelType };
