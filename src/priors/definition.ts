// What a prior is, besides the standard normal one: its parameters and its nodes.
import type { Choice } from "../choices.js";
import type { Node } from "../graph.js";
import type { Declare } from "../layers/definition.js";
import type { Tensor } from "../tensor.js";
import type { Prior } from "./json.js";

export type PriorJson = Exclude<Prior, string>;

export interface PriorType<J extends PriorJson = PriorJson> extends Choice {
  /** Its parameter, for so many latents. */
  parameters(json: J, latents: number, declare: Declare): Tensor;
  /** -log p(z) in nats, the output `prior` [B K, 1], of z [B K, Z], K rows an example. */
  loss(z: Tensor, parameter: Tensor, copies: number): Node;
  /** Draws z [rows, Z], its only output; their noise is multiplied by the knob. */
  draw(parameter: Tensor, rows: number, noise: string): Node;
}

export type PriorTypes = Partial<Record<PriorJson["type"], PriorType>>;
