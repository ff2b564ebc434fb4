// Twin of shaders/gaussian.wgsl.
import { Stream } from "../../src/random.js";
import type { Activation } from "../../src/tensor.js";
import { sigmoid, slope, softplus } from "./activation.js";
import { SEGMENT } from "./bernoulli.js";
import { normal4, streamAt, wordsAt } from "./random.js";
import { at, matrixShape, storedAt, tensorAt, type Twin } from "./twin.js";

/** A learned log sigma approaches this from above and never gets there. */
const FLOOR = -6;

const gaussian: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "x"));
  const [mean, x, logSigma, saved] = [
    at(values, "mean"),
    at(values, "x"),
    at(values, "log_sigma")[0]!,
    at(values, "saved"),
  ];
  const activation: Activation = tensorAt(node, "mean").activation ?? "none";
  const learned = node.attributes.learned === true;
  const r = learned ? FLOOR + softplus(logSigma - FLOOR) : logSigma;
  const sigma = Math.exp(r);
  const segments = tensorAt(node, "reconstruction").shape[1]!;
  const reconstruction = new Float64Array(rows * segments);
  const parts = new Float64Array(rows * segments);
  const dmean = new Float64Array(rows * columns);
  for (let row = 0; row < Math.min(rows, step.rows); row++) {
    for (let d = 0; d < columns; d++) {
      const i = row * columns + d;
      const segment = row * segments + Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
      const scaled = (x[i]! - mean[i]!) / sigma;
      reconstruction[segment]! += scaled ** 2 / 2 + r + Math.log(2 * Math.PI) / 2;
      dmean[i] = ((-scaled / sigma) * slope(activation, saved[i]!) * step.gradient_scale) / step.rows;
      // d/dr, times dr/dlog_sigma of the soft floor.
      parts[segment]! += ((1 - scaled ** 2) * sigmoid(logSigma - FLOOR) * step.gradient_scale) / step.rows;
    }
  }
  return {
    reconstruction,
    ...(node.outputs.dmean ? { dmean } : {}),
    ...(node.outputs.dlog_sigma_parts ? { dlog_sigma_parts: parts } : {}),
  };
};

/** Counters go by vec4, across padded rows. */
const sample: Twin = (node, values, step) => {
  const { columns } = matrixShape(tensorAt(node, "mean"));
  const groups = Math.floor(storedAt(tensorAt(node, "mean"), columns - 1) / 4) + 1;
  const logSigma = at(values, "log_sigma")[0]!;
  const sigma = Math.exp(node.attributes.learned === true ? FLOOR + softplus(logSigma - FLOOR) : logSigma);
  const y = at(values, "mean").map((mean, i) => {
    const [row, d] = [Math.floor(i / columns), i % columns];
    const place = storedAt(tensorAt(node, "mean"), d);
    const element = (step.first_row + row) * groups + Math.floor(place / 4);
    return mean + sigma * normal4(wordsAt(element, step, streamAt(node, Stream.observation)))[place % 4]!;
  });
  return { y };
};

export const gaussianTwins: Readonly<Record<string, Twin>> = { gaussian, gaussian_sample: sample };
