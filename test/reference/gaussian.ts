// Twins of the likelihoods with a mean of each value and one scale (shaders/lib/location_scale.wgsl), from what is one
// distribution's own: -log p of u = (x - m) / s at s = 1, its slope, and a draw of u. Then -log p(x|m) is that and log s.
import type { Node } from "../../src/graph.js";
import { Stream, type Words4 } from "../../src/random.js";
import type { Activation } from "../../src/tensor.js";
import { sigmoid, slope, softplus } from "./activation.js";
import { SEGMENT } from "./bernoulli.js";
import { normal4, streamAt, wordsAt } from "./random.js";
import { at, copiesOf, matrixShape, storedAt, tensorAt, weightAt, type Twin, type Values } from "./twin.js";

/** A learned log scale approaches this from above and never gets there. */
const FLOOR = -6;

interface Standard {
  readonly loss: (u: number) => number;
  readonly slope: (u: number) => number;
  /** Four draws of u from four random words. */
  readonly draws: (words: Words4) => readonly number[];
}

/** r = log s as the shader has it, and its slope with respect to log_scale. */
function logScaleOf(node: Node, values: Values): [number, number] {
  const raw = at(values, "log_scale")[0]!;
  return node.attributes.learned === true ? [FLOOR + softplus(raw - FLOOR), sigmoid(raw - FLOOR)] : [raw, 1];
}

/** Value d of the example that a row of means is about. */
function xOf(node: Node, values: Values) {
  const [x, { columns }] = [at(values, "x"), matrixShape(tensorAt(node, "x"))];
  return (row: number, d: number) => x[Math.floor(row / copiesOf(node)) * columns + d]!;
}

export function locationScaleTwins(name: string, standard: Standard): Readonly<Record<string, Twin>> {
  const term: Twin = (node, values, step) => {
    const { rows, columns } = matrixShape(tensorAt(node, "mean"));
    const mean = at(values, "mean");
    const xAt = xOf(node, values);
    const [r] = logScaleOf(node, values);
    const segments = tensorAt(node, "reconstruction").shape[1]!;
    const reconstruction = new Float64Array(rows * segments);
    for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
      for (let d = 0; d < columns; d++) {
        const i = row * columns + d;
        const segment = row * segments + Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
        reconstruction[segment]! += standard.loss((xAt(row, d) - mean[i]!) / Math.exp(r)) + r;
      }
    }
    return { reconstruction, ...(node.outputs.dmean ? gradient(node, values, step) : {}) };
  };

  const gradient: Twin = (node, values, step) => {
    const { rows, columns } = matrixShape(tensorAt(node, "mean"));
    const [mean, kept] = [at(values, "mean"), at(values, "saved")];
    const xAt = xOf(node, values);
    const activation: Activation = tensorAt(node, "mean").activation ?? "none";
    const [r, slopeOfFloor] = logScaleOf(node, values);
    const segments = node.outputs.dlog_scale_parts?.shape[1] ?? 0;
    const parts = new Float64Array(rows * segments);
    const dmean = new Float64Array(rows * columns);
    for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
      const weight = weightAt(node, values, step, row);
      for (let d = 0; d < columns; d++) {
        const i = row * columns + d;
        const u = (xAt(row, d) - mean[i]!) / Math.exp(r);
        dmean[i] = (-standard.slope(u) / Math.exp(r)) * slope(activation, kept[i]!) * weight;
        if (segments === 0) continue;
        // d/dr, times dr/dlog_scale of the soft floor.
        const segment = row * segments + Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
        parts[segment]! += (1 - u * standard.slope(u)) * slopeOfFloor * weight;
      }
    }
    return { dmean, ...(segments > 0 ? { dlog_scale_parts: parts } : {}) };
  };

  /** Counters go by vec4, across padded rows. */
  const sample: Twin = (node, values, step) => {
    const { columns } = matrixShape(tensorAt(node, "mean"));
    const groups = Math.floor(storedAt(tensorAt(node, "mean"), columns - 1) / 4) + 1;
    const scale = Math.exp(logScaleOf(node, values)[0]);
    const y = at(values, "mean").map((mean, i) => {
      const [row, d] = [Math.floor(i / columns), i % columns];
      const place = storedAt(tensorAt(node, "mean"), d);
      const element = (step.first_row + row) * groups + Math.floor(place / 4);
      return mean + scale * standard.draws(wordsAt(element, step, streamAt(node, Stream.observation)))[place % 4]!;
    });
    return { y };
  };

  return { [name]: term, [`${name}_grad`]: gradient, [`${name}_sample`]: sample };
}

export const gaussianTwins = locationScaleTwins("gaussian", {
  loss: (u) => u ** 2 / 2 + Math.log(2 * Math.PI) / 2,
  slope: (u) => u,
  draws: normal4,
});
