// What a conditional model is given besides x and z, as plain JSON.

/** The label of each example, a class from 0 to `classes` - 1, as a row of zeros and a one. */
export interface LabelCondition {
  readonly type: "label";
  readonly classes: number;
}
/** What encoder and decoder are given besides x and z: q(z|x, c) and p(x|z, c). */
export type Condition = LabelCondition;

/** A class for all examples of a call, or one for each. */
export type ConditionValue = number | readonly number[] | Uint8Array;
