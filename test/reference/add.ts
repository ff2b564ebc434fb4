// Twin of shaders/add.wgsl.
import type { Node } from "../../src/graph.js";
import type { Activation } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, type Twin } from "./twin.js";

const activationOf = (node: Node) => (node.attributes.activation ?? "none") as Activation;

const add: Twin = (node, values) => {
  const q = at(values, "q");
  const pre = at(values, "p").map((p, i) => p + q[i]!);
  const y = pre.map((a) => activate(activationOf(node), a));
  return node.outputs.pre ? { y, pre } : { y };
};

const addGrad: Twin = (node, values) => {
  const saved = at(values, "saved");
  return { dp: at(values, "dy").map((dy, i) => dy * slope(activationOf(node), saved[i]!)) };
};

const addGradients: Twin = (_, values) => {
  const other = at(values, "dW2");
  return { total: at(values, "dW").map((value, i) => value + other[i]!) };
};

export const addTwins: Readonly<Record<string, Twin>> = { add, add_grad: addGrad, add_gradients: addGradients };
