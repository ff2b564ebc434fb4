// The objectives by name, and one from JSON. The core has the ELBO, which is no type; what is here is loaded when a run
// names another.
import { quoted, reading } from "../checks.js";
import { choiceAt } from "../choices.js";
import { invalidOption } from "../options.js";
import type { ObjectiveJson, ObjectiveType, ObjectiveTypes } from "./definition.js";
import { importanceType } from "./importance.js";

export const objectiveTypes: ObjectiveTypes = { iwae: importanceType };

/** An objective that was chosen, and its type. */
export interface Chosen {
  readonly json: ObjectiveJson;
  readonly type: ObjectiveType;
}

/**
 * The objective of a run from JSON; undefined for the ELBO. Throws INVALID_OPTION saying which there are, or if another
 * option has a value that it leaves no place for.
 */
export function objectiveOf(options: Given): Chosen | undefined {
  return reading("INVALID_OPTION", "objective", () => chosen(options));
}

type Given = Readonly<Record<"objective" | "beta" | "noise", unknown>>;

function chosen(options: Given): Chosen | undefined {
  const json = choiceAt(objectiveTypes, options.objective, "objective", "elbo", "INVALID_OPTION");
  if (!json) return undefined;
  const type = objectiveTypes[(json as ObjectiveJson).type]!;
  for (const name of type.fixed ?? []) {
    const given = options[name] ?? 1;
    if (given !== 1) {
      throw invalidOption(`${name} must be 1 with the objective ${type.example}, not ${quoted(given)}`);
    }
  }
  return { json: json as ObjectiveJson, type };
}
