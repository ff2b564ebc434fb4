// Graphs of dense products alone.
import type { Graph } from "../../src/graph.js";
import { linear } from "../../src/ops/linear.js";
import { tensor, weightTensor } from "../../src/tensor.js";

/** y = x W + b, for each of `sizes` as rows x inputs x outputs. */
export function graphOf(...sizes: (readonly [number, number, number])[]): Graph {
  const nodes = sizes.map(([rows, inputs, outputs], index) =>
    linear(
      `y${index}`,
      tensor(`x${index}`, "input", [rows, inputs]),
      weightTensor(`W${index}`, "param", [inputs], [outputs]),
      tensor(`b${index}`, "param", [outputs]),
    ),
  );
  return { nodes };
}
