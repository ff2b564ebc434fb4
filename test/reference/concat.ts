// Twin of shaders/concat.wgsl.
import type { Activation } from "../../src/tensor.js";
import { slope } from "./activation.js";
import { at, copiesOf, matrixShape, tensorAt, type Twin } from "./twin.js";

const concat: Twin = (node, values) => {
  const [p, q] = [at(values, "p"), at(values, "q")];
  const { rows, columns: first } = matrixShape(tensorAt(node, "p"));
  const { columns: second } = matrixShape(tensorAt(node, "q"));
  const y: number[] = [];
  for (let row = 0; row < rows; row++) {
    const example = Math.floor(row / copiesOf(node));
    y.push(...p.subarray(row * first, (row + 1) * first), ...q.subarray(example * second, (example + 1) * second));
  }
  return { y: Float64Array.from(y) };
};

const concatGrad: Twin = (node, values) => {
  const [dy, saved] = [at(values, "dy"), at(values, "saved")];
  const { columns: first } = matrixShape(tensorAt(node, "dp"));
  const { columns: all } = matrixShape(tensorAt(node, "dy"));
  const activation = node.attributes.activation as Activation;
  const dp = saved.map((kept, i) => dy[Math.floor(i / first) * all + (i % first)]! * slope(activation, kept));
  return { dp };
};

export const concatTwins: Readonly<Record<string, Twin>> = { concat, concat_grad: concatGrad };
