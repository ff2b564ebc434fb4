import { groupNorm } from "../../src/ops/group_norm.js";
import { opNamed } from "../../src/ops/index.js";
import { memoryCase, tensor } from "../support/op_bench.js";

const shape = [32, 28, 28, 32];

export const cases = [8, 1].flatMap((groups) => {
  const affine = { gamma: tensor("gamma", "param", [32]), beta: tensor("beta", "param", [32]) };
  const forward = groupNorm("y", tensor("x", "input", shape), affine, { groups, epsilon: 1e-3 }, "relu");
  const dy = tensor("dy", "input", shape);
  const backward = opNamed("group_norm").gradient!(forward.at(-1)!, { y: dy }, () => true);
  return [...forward, ...backward.nodes].map((node) => memoryCase(`${shape.join("x")}, ${groups} groups`, node));
});
