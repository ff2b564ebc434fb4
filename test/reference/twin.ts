// What a twin is: an op again, as plain loops in f64 on logical shapes, written from its equation and not from its
// kernel, so that the two can only agree by both being right.
import type { StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import type { Tensor } from "../../src/tensor.js";

/** Values of tensors without padding, row-major, by the names that the WGSL file gives them. */
export type Values = Readonly<Record<string, Float64Array>>;

/** What the node's outputs become. `values` holds its inputs, and the outputs that it updates in place. */
export type Twin = (node: Node, values: Values, step: StepValues) => Record<string, Float64Array>;

/** The values of `key`; throws where there are none: a twin never computes with undefined. */
export function at(values: Values, key: string): Float64Array {
  const found = values[key];
  if (!found) throw new Error(`the twin is given no values for ${key}`);
  return found;
}

/** This step's value of the knob that the node knows as `key`. */
export function knobOf(node: Node, step: StepValues, key: string): number {
  const value = { ...step.knobs, one: 1 }[node.knobs?.[key] ?? ""];
  if (value === undefined) throw new Error(`${node.op} has no value for its knob ${key}`);
  return value;
}

/** How many draws of an example lie side by side. */
export const copiesOf = ({ attributes }: Node): number => Number(attributes.copies ?? 1);

/**
 * What a row's part of a loss is multiplied by in its gradient: its weight in the mean over the rows that count, `copies`
 * for each example that does.
 */
export function weightAt(
  node: Node,
  values: Values,
  step: StepValues,
  row: number,
  { part = 0, copies = copiesOf(node) } = {},
): number {
  const [rows = 1, parts = 1] = node.inputs.over?.shape ?? [];
  const over = values.over?.[(rows > 1 ? row : 0) * parts + (parts > 1 ? part : 0)] ?? 1;
  return (knobOf(node, step, "weight") * over * step.gradient_scale) / (step.rows * copies);
}

/** The tensor that the node knows as `key`. */
export function tensorAt(node: Node, key: string): Tensor {
  const found = node.inputs[key] ?? node.outputs[key];
  if (!found) throw new Error(`${node.op} has no tensor ${key}`);
  return found;
}

/** The place of an example's value `d` in storage: an innermost size C takes ceil(C / 4) vec4. */
export function storedAt({ shape }: Tensor, d: number): number {
  const inner = shape.at(-1) ?? 1;
  return Math.floor(d / inner) * Math.ceil(inner / 4) * 4 + (d % inner);
}

/** Rows, and values in each. */
export function matrixShape(tensor: Tensor): { rows: number; columns: number } {
  const [rows = 1, ...rest] = tensor.shape;
  return { rows, columns: rest.reduce((product, n) => product * n, 1) };
}
