// What options write as NAME or NAME,key=value,...: parts of a spec, and the objective of a run. The library knows the
// names and keys, and checks them; here are only the defaults, and the classes that a data set has.
import { WebvaeError, type Dataset, type ModelSpec, type TrainingOptions } from "../src/index.js";

export type Objective = NonNullable<TrainingOptions["objective"]>;

/** Parts of a spec that an option of the same name replaces. */
export const partNames = ["likelihood", "prior", "condition"] as const;
export type PartName = (typeof partNames)[number];

/** The objective as a run's record has it; undefined for the ELBO. The library checks it when the run begins. */
export const savedObjective = (value: unknown): Objective | undefined =>
  value === undefined || value === usual.objective ? undefined : (value as Objective);

const usual = { likelihood: "", prior: "normal", condition: "none", objective: "elbo" } as const;

/** As an option writes it, with its keys in order: "mixture,components=10". */
export function written(choice: unknown): string {
  if (choice === null || typeof choice !== "object") return String(choice);
  const { type, ...keys } = choice as { type: string };
  const inOrder = Object.entries(keys).sort(([one], [other]) => (one < other ? -1 : 1));
  return [type, ...inOrder.map(([key, value]) => `${key}=${String(value)}`)].join(",");
}

/**
 * Throws INVALID_OPTION if the option `name` has another value than the run in `file`. A name alone is the run's own
 * whatever keys that has.
 */
export function checkSame(name: PartName | "objective", given: unknown, then: unknown, file: string): void {
  const type = then !== null && typeof then === "object" ? (then as { type?: unknown }).type : then;
  if (given === (type ?? usual[name]) || written(given) === written(then)) return;
  const has = then === undefined ? usual[name] : written(then);
  throw new WebvaeError(
    "INVALID_OPTION",
    `--${name} ${written(given)} contradicts the run in ${file}, which has ${has}`,
  );
}

/**
 * A condition on labels without their number gets that of the data: their largest plus one. Throws INVALID_DATA if the
 * data have no labels.
 */
export function withClasses(condition: unknown, datasets: readonly Dataset[]): unknown {
  if (condition !== "label") return condition;
  let largest = 1;
  for (const { name, labels } of datasets) {
    if (!labels) {
      throw new WebvaeError(
        "INVALID_DATA",
        `--condition label: ${name} has no labels, so a model cannot be conditioned on them`,
      );
    }
    for (const label of labels) largest = Math.max(largest, label);
  }
  return { type: "label", classes: largest + 1 };
}

/** Lines about what differs from the defaults, to be printed. */
export function choiceLines({ prior, condition }: ModelSpec, objective: Objective | undefined): string[] {
  return Object.entries({ prior, condition, objective }).flatMap(([name, choice]) =>
    choice === undefined ? [] : [`${name}: ${written(choice).replaceAll(",", ", ").replaceAll("=", " ")}`],
  );
}
