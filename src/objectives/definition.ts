// What an objective is: how many draws of each example it needs, and what it makes of the terms of the ELBO.
import type { Choice } from "../choices.js";
import type { Term } from "../graph.js";
import type { Builder } from "../layers/definition.js";
import type { Tensor } from "../tensor.js";
import type { Objective } from "./json.js";

export type ObjectiveJson = Exclude<Objective, string>;

/** What a forward pass has made. */
export interface Pass {
  /** Examples. With K draws of each, the reconstruction and `ratio` have K rows an example, side by side. */
  readonly batch: number;
  readonly reconstruction: Tensor;
  /** Losses whose sum is log q(z|x) - log p(z) of each draw. */
  readonly ratio: readonly Tensor[];
}

export interface ObjectiveType<J extends ObjectiveJson = ObjectiveJson> extends Choice {
  copies(json: J): number;
  /** Options of `train` that it leaves no place for: they must be 1. */
  readonly fixed?: readonly ("beta" | "noise")[];
  /** The terms in place of those of the ELBO. What is only reported has no knob. */
  terms(g: Pick<Builder, "output">, pass: Pass, terms: readonly Term[], json: J): readonly Term[];
}

export type ObjectiveTypes = Partial<Record<ObjectiveJson["type"], ObjectiveType>>;
