// What a condition is: how wide it makes a row, and how it is checked and written for a call.
import type { Choice } from "../choices.js";
import type { ResolvedLayer } from "../layers/definition.js";
import type { Condition, ConditionValue } from "./json.js";

/** What a data set says of its examples. */
export interface Labelled {
  readonly name: string;
  readonly labels?: Uint8Array;
}

/** The condition of some rows of a call, [rows, size]. */
export type ConditionRows = (first: number, rows: number) => Float32Array<ArrayBuffer>;

/** Where the encoder gets a condition: beside x, a vector, or beside what its layers make of an image. */
export interface Beside {
  readonly at: "x" | "features";
  /** The layers, the shape of their input and, if it must be another than the last one's, that of their output. */
  readonly layers: readonly ResolvedLayer[];
  readonly from: readonly number[];
  readonly to?: readonly number[];
}

export interface ConditionType<J extends Condition = Condition> extends Choice {
  /** How many values a row has. */
  size(json: J): number;
  /** Where the encoder, already resolved, gets it. */
  beside(encoder: readonly ResolvedLayer[], input: readonly number[], flat: boolean, size: number): Beside;
  /** Throws INVALID_DATA if a data set does not say what its examples are conditioned on. */
  check(json: J, dataset: Labelled, what: string): void;
  /**
   * The rows of a call with `count` examples, from what it was given or, without that, from the data set. Copies what it
   * is given. Throws INVALID_OPTION naming `place`.
   */
  rows(
    json: J,
    place: string,
    count: number,
    given: ConditionValue | undefined,
    data?: Partial<Labelled>,
  ): ConditionRows;
}

export type ConditionTypes = Partial<Record<Condition["type"], ConditionType>>;
