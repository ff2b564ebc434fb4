import { add, addGradients } from "../../src/ops/add.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

/** The larger feature maps of the conv preset, at its batch size. */
const shape = [32, 14, 14, 32];

const forward = add("y", tensor("p", "input", shape, { activation: "relu" }), tensor("q", "input", shape), "relu");
const { nodes } = opNamed("add").gradient!(forward, { y: tensor("dy", "input", shape) }, () => true);

/** The first layer of the mlp preset, used twice. */
const weights = [784, 400];
const sum = addGradients(
  tensor("dW", "input", weights),
  tensor("dW2", "input", weights),
  tensor("total", "gradient", weights),
);

export const cases = [
  ...[forward, ...nodes].map((node) => memoryCase(shape.join("x"), node)),
  memoryCase(weights.join("x"), sum),
];
