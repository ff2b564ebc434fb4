// Twin of shaders/sum.wgsl.
import type { Node } from "../../src/graph.js";
import { at, tensorAt, type Twin, type Values } from "./twin.js";

/** The sum of the rows of `key`. */
function sumOfRows(node: Node, values: Values, key: string): Float64Array {
  const parts = at(values, key);
  const count = tensorAt(node, key).shape[0]!;
  const length = parts.length / count;
  const sum = new Float64Array(length);
  for (let part = 0; part < count; part++) {
    for (let i = 0; i < length; i++) sum[i]! += parts[part * length + i]!;
  }
  return sum;
}

const sumPairs: Twin = (node, values) => ({
  y: sumOfRows(node, values, "parts"),
  y2: sumOfRows(node, values, "parts2"),
});

const sumTwoPairs: Twin = (node, values, step) => ({
  ...sumPairs(node, values, step),
  y3: sumOfRows(node, values, "parts3"),
  y4: sumOfRows(node, values, "parts4"),
});

const sumAll: Twin = (_, values) => ({
  y: Float64Array.of(at(values, "values").reduce((sum, value) => sum + value, 0)),
});

export const sumTwins: Readonly<Record<string, Twin>> = {
  sum_pairs: sumPairs,
  sum_two_pairs: sumTwoPairs,
  sum_all: sumAll,
};
