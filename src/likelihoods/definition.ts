// What a likelihood is: the keys of its JSON, what it is given besides the decoder's output, and its nodes.
import type { Choice } from "../choices.js";
import type { Node } from "../graph.js";
import type { Activation, Tensor } from "../tensor.js";
import type { Likelihood } from "./json.js";

export type LikelihoodJson = Exclude<Likelihood, string>;

export interface LikelihoodType<J extends LikelihoodJson = LikelihoodJson> extends Choice {
  /** What the decoder's output is called. */
  readonly output: string;
  /**
   * What makes the mean of the decoder's output. The last layer then can have no activation of its own, and x lies in
   * [0, 1].
   */
  readonly link?: Activation;
  /** Its parameter, or what stands in the place of one: `fixed` is its value then, and its role "state". */
  given?(json: J): { readonly tensor: Tensor; readonly fixed?: number };
  /** -log p(x|output) in nats, the output `reconstruction` [B K, segments] of K rows of the decoder an example. */
  loss(output: Tensor, x: Tensor, given?: Tensor): Node;
  /** A draw y of x. */
  draw(output: Tensor, given?: Tensor): Node;
}

export type LikelihoodTypes = Partial<Record<LikelihoodJson["type"], LikelihoodType>>;
