// Twin of shaders/linear*.wgsl: three loops for each product.
import type { Activation } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, matrixShape, tensorAt, type Twin, type Values } from "./twin.js";
import type { Node } from "../../src/graph.js";

const activationOf = (node: Node) => (node.attributes.activation ?? "none") as Activation;

const linear: Twin = (node, values) => {
  const { rows, columns: I } = matrixShape(tensorAt(node, "x"));
  const { columns: O } = matrixShape(tensorAt(node, "y"));
  const [x, W, b] = [at(values, "x"), at(values, "W"), at(values, "b")];
  const pre = new Float64Array(rows * O);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < O; o++) {
      let sum = b[o]!;
      for (let i = 0; i < I; i++) sum += x[row * I + i]! * W[i * O + o]!;
      pre[row * O + o] = sum;
    }
  }
  const y = pre.map((a) => activate(activationOf(node), a));
  return node.outputs.pre ? { y, pre } : { y };
};

/** dx = (dy Wt) times the slope of the activation that made x. */
function inputGradient(node: Node, values: Values): Float64Array {
  const { rows, columns: I } = matrixShape(tensorAt(node, "dx"));
  const { columns: O } = matrixShape(tensorAt(node, "dy"));
  const [W, dy, saved] = [at(values, "W"), at(values, "dy"), at(values, "saved")];
  const dx = new Float64Array(rows * I);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < I; i++) {
      let sum = 0;
      for (let o = 0; o < O; o++) sum += dy[row * O + o]! * W[i * O + o]!;
      dx[row * I + i] = sum * slope(activationOf(node), saved[row * I + i]!);
    }
  }
  return dx;
}

/** dW = xt dy and db = the sum of dy's rows; in parts of equal length in rows, where the node's outputs are parts. */
function weightGradients(node: Node, values: Values): Record<string, Float64Array> {
  const { rows, columns: I } = matrixShape(tensorAt(node, "x"));
  const { columns: O } = matrixShape(tensorAt(node, "dy"));
  const [x, dy] = [at(values, "x"), at(values, "dy")];
  const dWTensor = tensorAt(node, "dW");
  const parts = dWTensor.name.endsWith(".parts") ? dWTensor.shape[0]! : 1;
  // Parts are as equal as multiples of 4 rows can be.
  const partRows = Math.ceil(rows / parts / 4) * 4;
  const dW = new Float64Array(parts * I * O);
  const db = new Float64Array(parts * O);
  for (let row = 0; row < rows; row++) {
    const part = Math.floor(row / partRows);
    for (let o = 0; o < O; o++) {
      db[part * O + o]! += dy[row * O + o]!;
      for (let i = 0; i < I; i++) dW[(part * I + i) * O + o]! += x[row * I + i]! * dy[row * O + o]!;
    }
  }
  return { dW, db };
}

export const linearTwins: Readonly<Record<string, Twin>> = {
  linear,
  linear_grad_input: (node, values) => ({ dx: inputGradient(node, values) }),
  linear_grad_weight: weightGradients,
  linear_grad: (node, values) => ({ dx: inputGradient(node, values), ...weightGradients(node, values) }),
};
