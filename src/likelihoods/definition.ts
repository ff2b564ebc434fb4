// What a likelihood is: the keys of its JSON, what it is given besides the decoder's output, and its nodes.
import type { Node } from "../graph.js";
import type { Check } from "../layers/definition.js";
import type { Activation, Tensor } from "../tensor.js";
import type { Likelihood } from "./json.js";

export type LikelihoodJson = Exclude<Likelihood, string>;

export interface LikelihoodType<J extends LikelihoodJson = LikelihoodJson> {
  /** How it is written, for messages. */
  readonly example: string;
  /** Other libraries' words for it or its loss, with what to write here. */
  readonly words?: readonly (readonly [RegExp, string])[];
  readonly needs: Readonly<Record<string, Check>>;
  /** What the decoder's output is called. */
  readonly output: string;
  /**
   * What makes the mean of the decoder's output. The last layer then can have no activation of its own, and x lies in
   * [0, 1].
   */
  readonly link?: Activation;
  /** Its parameter, or what stands in the place of one: `fixed` is its value then, and its role "state". */
  given?(json: J): { readonly tensor: Tensor; readonly fixed?: number };
  /** -log p(x|output) in nats, the output `reconstruction` [B, segments]. */
  loss(output: Tensor, x: Tensor, given?: Tensor): Node;
  /** A draw y of x. */
  draw(output: Tensor, given?: Tensor): Node;
}

export type LikelihoodTypes = Partial<Record<LikelihoodJson["type"], LikelihoodType>>;
