// Twin of shaders/reshape.wgsl. Without padding nothing moves.
import type { Activation } from "../../src/tensor.js";
import { slope } from "./activation.js";
import { at, type Twin } from "./twin.js";

const reshape: Twin = (_, values) => ({ y: at(values, "x").slice() });

const reshapeGrad: Twin = (node, values) => {
  const saved = at(values, "saved");
  const activation = node.attributes.activation as Activation;
  return { dx: at(values, "dy").map((dy, i) => dy * slope(activation, saved[i]!)) };
};

export const reshapeTwins: Readonly<Record<string, Twin>> = { reshape, reshape_grad: reshapeGrad };
