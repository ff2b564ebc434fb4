// Twin of shaders/bernoulli.wgsl: -log p(x|a) = x softplus(-a) + (1 - x) softplus(a).
import { sigmoid, softplus } from "./activation.js";
import { at, matrixShape, tensorAt, type Twin } from "./twin.js";

/** A row's sum is left in sums of this many values. */
export const SEGMENT = 64;

const bernoulli: Twin = (node, values, step) => {
  const { rows, columns } = matrixShape(tensorAt(node, "x"));
  const [logits, x] = [at(values, "logits"), at(values, "x")];
  const segments = Math.ceil(columns / SEGMENT);
  const reconstruction = new Float64Array(rows * segments);
  const dlogits = new Float64Array(rows * columns);
  for (let row = 0; row < Math.min(rows, step.rows); row++) {
    for (let d = 0; d < columns; d++) {
      const a = logits[row * columns + d]!;
      const target = x[row * columns + d]!;
      reconstruction[row * segments + Math.floor(d / SEGMENT)]! += target * softplus(-a) + (1 - target) * softplus(a);
      dlogits[row * columns + d] = (sigmoid(a) - target) / step.rows;
    }
  }
  return node.outputs.dlogits ? { reconstruction, dlogits } : { reconstruction };
};

export const bernoulliTwins: Readonly<Record<string, Twin>> = { bernoulli };
