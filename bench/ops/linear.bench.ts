import { differentiate } from "../../src/gradient.js";
import { ONE, type Node } from "../../src/graph.js";
import { bernoulli } from "../../src/ops/bernoulli.js";
import { linear } from "../../src/ops/linear.js";
import { reparameterize } from "../../src/ops/reparameterize.js";
import { tensor, weightTensor } from "../../src/tensor.js";
import type { OpCase } from "../support/op_bench.js";

/** B x I x O: square products, and the layers of the mlp preset at its batch size. */
const shapes = [
  [512, 512, 512],
  [128, 784, 400],
  [128, 400, 40],
  [128, 20, 400],
  [128, 400, 784],
] as const;

export const cases: OpCase[] = shapes.flatMap(([B, I, O]) => layerCases(B, I, O));

/** A layer forward, its dx, its dW with db, and both gradients in one if the library combines them. */
export function layerCases(B: number, I: number, O: number): OpCase[] {
  const x = tensor("x", "input", [B, I]);
  const W = weightTensor("W", "param", [I], [O]);
  const b = tensor("b", "param", [O]);
  const forward = linear("y", x, W, b, "relu");
  const flop = 2 * B * I * O;
  const name = `${B}x${I}x${O}`;
  const dy = tensor("dy", "input", [B, O]);
  const dx = tensor("dx", "activation", [B, I]);
  const input: Node = {
    op: "linear_grad_input",
    inputs: { W, dy, saved: x },
    outputs: { dx },
    attributes: { activation: "relu" },
  };
  const weight = gradient(B, I, O, false)!;
  const both = gradient(B, I, O, true);
  return [
    { name, node: forward, flop },
    { name, node: input, flop },
    { name, node: weight, flop },
    ...(both ? [{ name, node: both, flop: 2 * flop }] : []),
  ];
}

/** The single node that the library creates for a layer's gradients, with or without its input's, if it does. */
function gradient(B: number, I: number, O: number, withInput: boolean): Node | undefined {
  const first = linear(
    "h",
    tensor("x", "input", [B, 4]),
    weightTensor("V", "param", [4], [I]),
    tensor("c", "param", [I]),
  );
  const x = withInput ? first.outputs.y! : tensor("x", "input", [B, I]);
  const last = linear("heads", x, weightTensor("W", "param", [I], [2, O / 2]), tensor("b", "param", [2, O / 2]));
  const end = reparameterize(last.outputs.y!);
  const decoder = linear("logits", end.outputs.z!, weightTensor("D", "param", [O / 2], [4]), tensor("e", "param", [4]));
  const logits = decoder.outputs.y!;
  const term = bernoulli(logits, tensor("target", "input", logits.shape));
  const graph = differentiate({
    nodes: [...(withInput ? [first] : []), last, end, decoder, term],
    terms: [
      { name: "reconstruction", value: term.outputs.reconstruction!, knob: ONE },
      { name: "kl", value: end.outputs.kl!, knob: "beta" },
    ],
  });
  const name = withInput ? "linear_grad" : "linear_grad_weight";
  return graph.nodes.find(({ op, inputs, outputs }) => op === name && inputs.x === x && "dW" in outputs);
}
