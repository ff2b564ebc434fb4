// Twin of shaders/importance.wgsl.
import { at, copiesOf, knobOf, tensorAt, type Twin } from "./twin.js";

const importance: Twin = (node, values, step) => {
  const copies = copiesOf(node);
  const examples = tensorAt(node, "bound").shape[0]!;
  const draws = node.knobs ? knobOf(node, step, "draws") : copies;
  const logWeight = (row: number) => {
    let loss = 0;
    for (const [key, tensor] of Object.entries(node.inputs)) {
      const parts = tensor.shape[1]!;
      for (let part = 0; part < parts; part++) loss += at(values, key)[row * parts + part]!;
    }
    return -loss;
  };
  const [bound, squares] = [new Float64Array(examples), new Float64Array(examples)];
  const weights = new Float64Array(examples * copies);
  for (let example = 0; example < Math.min(examples, step.rows); example++) {
    const logs = Array.from({ length: draws }, (_, k) => logWeight(example * copies + k));
    const most = Math.max(...logs);
    const sum = logs.reduce((total, w) => total + Math.exp(w - most), 0);
    bound[example] = -(most + Math.log(sum / draws));
    squares[example] = 2 * most + Math.log(logs.reduce((total, w) => total + Math.exp(2 * (w - most)), 0));
    logs.forEach((w, k) => (weights[example * copies + k] = (draws * Math.exp(w - most)) / sum));
  }
  return { bound, squares, weights };
};

export const importanceTwins: Readonly<Record<string, Twin>> = { importance, importance_prior: importance };
