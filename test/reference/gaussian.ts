// Twin of shaders/gaussian.wgsl.
import type { Node } from "../../src/graph.js";
import { Stream } from "../../src/random.js";
import type { Activation } from "../../src/tensor.js";
import { sigmoid, slope, softplus } from "./activation.js";
import { SEGMENT } from "./bernoulli.js";
import { normal4, streamAt, wordsAt } from "./random.js";
import { at, matrixShape, storedAt, tensorAt, weightAt, type Twin, type Values } from "./twin.js";

/** A learned log sigma approaches this from above and never gets there. */
const FLOOR = -6;

/** r as the shader has it, and its slope with respect to log_sigma. */
function logSigmaOf(node: Node, values: Values): [number, number] {
  const raw = at(values, "log_sigma")[0]!;
  return node.attributes.learned === true ? [FLOOR + softplus(raw - FLOOR), sigmoid(raw - FLOOR)] : [raw, 1];
}

const gaussian: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "x"));
  const [mean, x] = [at(values, "mean"), at(values, "x")];
  const [r] = logSigmaOf(node, values);
  const segments = tensorAt(node, "reconstruction").shape[1]!;
  const reconstruction = new Float64Array(rows * segments);
  for (let row = 0; row < Math.min(rows, step.rows); row++) {
    for (let d = 0; d < columns; d++) {
      const i = row * columns + d;
      const segment = row * segments + Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
      reconstruction[segment]! += ((x[i]! - mean[i]!) / Math.exp(r)) ** 2 / 2 + r + Math.log(2 * Math.PI) / 2;
    }
  }
  return { reconstruction, ...(node.outputs.dmean ? gaussianGrad(node, values, step) : {}) };
};

const gaussianGrad: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "x"));
  const [mean, x, kept] = [at(values, "mean"), at(values, "x"), at(values, "saved")];
  const activation: Activation = tensorAt(node, "mean").activation ?? "none";
  const [r, slopeOfFloor] = logSigmaOf(node, values);
  const sigma = Math.exp(r);
  const segments = node.outputs.dlog_sigma_parts?.shape[1] ?? 0;
  const parts = new Float64Array(rows * segments);
  const dmean = new Float64Array(rows * columns);
  for (let row = 0; row < Math.min(rows, step.rows); row++) {
    const weight = weightAt(node, values, step, row);
    for (let d = 0; d < columns; d++) {
      const i = row * columns + d;
      const scaled = (x[i]! - mean[i]!) / sigma;
      dmean[i] = (-scaled / sigma) * slope(activation, kept[i]!) * weight;
      if (segments === 0) continue;
      // d/dr, times dr/dlog_sigma of the soft floor.
      const segment = row * segments + Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
      parts[segment]! += (1 - scaled ** 2) * slopeOfFloor * weight;
    }
  }
  return { dmean, ...(segments > 0 ? { dlog_sigma_parts: parts } : {}) };
};

/** Counters go by vec4, across padded rows. */
const sample: Twin = (node, values, step) => {
  const { columns } = matrixShape(tensorAt(node, "mean"));
  const groups = Math.floor(storedAt(tensorAt(node, "mean"), columns - 1) / 4) + 1;
  const sigma = Math.exp(logSigmaOf(node, values)[0]);
  const y = at(values, "mean").map((mean, i) => {
    const [row, d] = [Math.floor(i / columns), i % columns];
    const place = storedAt(tensorAt(node, "mean"), d);
    const element = (step.first_row + row) * groups + Math.floor(place / 4);
    return mean + sigma * normal4(wordsAt(element, step, streamAt(node, Stream.observation)))[place % 4]!;
  });
  return { y };
};

export const gaussianTwins: Readonly<Record<string, Twin>> = {
  gaussian,
  gaussian_grad: gaussianGrad,
  gaussian_sample: sample,
};
