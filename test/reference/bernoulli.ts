// Twin of shaders/bernoulli.wgsl: -log p(x|a) = x softplus(-a) + (1 - x) softplus(a).
import { Stream } from "../../src/random.js";
import { sigmoid, softplus } from "./activation.js";
import { streamAt, uniform, wordsAt } from "./random.js";
import { at, copiesOf, matrixShape, storedAt, tensorAt, weightAt, type Twin } from "./twin.js";

/** A row's sum is left in sums of this many stored values. */
export const SEGMENT = 64;

const bernoulli: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "logits"));
  const [logits, x] = [at(values, "logits"), at(values, "x")];
  const segments = tensorAt(node, "reconstruction").shape[1]!;
  const segment = (d: number) => Math.floor(storedAt(tensorAt(node, "x"), d) / SEGMENT);
  const reconstruction = new Float64Array(rows * segments);
  for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
    for (let d = 0; d < columns; d++) {
      const a = logits[row * columns + d]!;
      const target = x[Math.floor(row / copiesOf(node)) * columns + d]!;
      reconstruction[row * segments + segment(d)]! += target * softplus(-a) + (1 - target) * softplus(a);
    }
  }
  return { reconstruction, ...(node.outputs.dlogits ? bernoulliGrad(node, values, step) : {}) };
};

export const bernoulliGrad: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "logits"));
  const [logits, x] = [at(values, "logits"), at(values, "x")];
  const dlogits = new Float64Array(rows * columns);
  for (let row = 0; row < Math.min(rows, step.rows * copiesOf(node)); row++) {
    for (let d = 0; d < columns; d++) {
      const i = row * columns + d;
      const target = x[Math.floor(row / copiesOf(node)) * columns + d]!;
      dlogits[i] = (sigmoid(logits[i]!) - target) * weightAt(node, values, step, row);
    }
  }
  return { dlogits };
};

/** Counters go by vec4, across padded rows. */
const sample: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "logits"));
  const groups = Math.floor(storedAt(tensorAt(node, "logits"), columns - 1) / 4) + 1;
  const y = at(values, "logits").map((a, i) => {
    const [row, d] = [Math.floor(i / columns), i % columns];
    const place = storedAt(tensorAt(node, "logits"), d);
    const element = (step.first_row + row) * groups + Math.floor(place / 4);
    return uniform(wordsAt(element, step, streamAt(node, Stream.observation))[place % 4]!) < sigmoid(a) ? 1 : 0;
  });
  return { y: y.subarray(0, rows * columns) };
};

export const bernoulliTwins: Readonly<Record<string, Twin>> = {
  bernoulli,
  bernoulli_sample: sample,
};
