// Twin of shaders/sum.wgsl.
import { at, tensorAt, type Twin } from "./twin.js";

const sumParts: Twin = (node, values) => {
  const parts = at(values, "parts");
  const count = tensorAt(node, "parts").shape[0]!;
  const length = parts.length / count;
  const y = new Float64Array(length);
  for (let part = 0; part < count; part++) {
    for (let i = 0; i < length; i++) y[i]! += parts[part * length + i]!;
  }
  return { y };
};

const sumAll: Twin = (_, values) => ({
  y: Float64Array.of(at(values, "values").reduce((sum, value) => sum + value, 0)),
});

export const sumTwins: Readonly<Record<string, Twin>> = { sum_parts: sumParts, sum_all: sumAll };
