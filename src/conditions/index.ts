// The conditions by name, and one from JSON. All are added once they are loaded (toolbox.ts).
import { extras } from "../extras.js";
import type { ConditionTypes } from "./definition.js";
import type { Condition } from "./json.js";

/** Of all that are loaded. */
export const conditionTypes: ConditionTypes = {};

/** A condition from JSON; undefined for none. Throws INVALID_SPEC saying which there are. */
export const conditionAt = (value: unknown) =>
  (value === undefined ? value : extras!.choiceAt(conditionTypes, value, "condition")) as Condition | undefined;
