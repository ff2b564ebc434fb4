// What a type of layer is: the keys of its JSON, the shape it makes of its input's, its parameters and its nodes.
import { invalid, LARGEST } from "../checks.js";
import type { Node } from "../graph.js";
import type { Activation, Tensor } from "../tensor.js";
import type { Layer } from "./json.js";

/** A layer with all sizes worked out. A type adds what its nodes need. */
export interface ResolvedLayer {
  readonly type: Exclude<Layer["type"], "flatten">;
  /** The layer's path in the spec, "encoder.0", which its parameters' names start with. */
  readonly path: string;
  /** Shapes of one example: [H, W, C] or [D]; dense layers can take and return any shape. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly activation: Activation;
  /** Those that it holds. */
  readonly layers?: readonly ResolvedLayer[];
}

/** What every resolved layer has, before its own shape is known; `place` names the layer in errors. */
export type Place = Pick<ResolvedLayer, "path" | "input" | "activation"> & { readonly place: string };

/** What a layer's nodes are made with. */
export interface Builder {
  /** Dropout and batch statistics are only for training. */
  readonly training: boolean;
  /** Nodes that run once a step's health is known. */
  readonly updates: ((health: Tensor) => Node)[];
  /** Dropouts so far, so that each draws different numbers. */
  dropouts: number;
  /** Adds a node; its output of that name. */
  output(node: Node, name: string): Tensor;
  /** Adds nodes of which the last makes what the layer gives. */
  last(nodes: readonly Node[]): Tensor;
  parameter(name: string): Tensor;
  layers(layers: readonly ResolvedLayer[], x: Tensor): Tensor;
}

/**
 * How a parameter begins. A weight or bias at random by its fans, an offset (also log sigma and a running mean) at 0, a
 * gain at 1; noise, of means and log variances, with means from N(0, 1) and variances 1.
 */
export interface First {
  readonly kind: "weight" | "bias" | "offset" | "gain" | "noise";
  readonly fans?: { readonly fanIn: number; readonly fanOut: number };
  /** As it is saved; default: the tensor's own shape, by its name. */
  readonly shape?: readonly number[];
  /** As it is saved, if in parts: each one index of its second-to-last size. */
  readonly files?: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Notes the parameters and running statistics of a model, in the order in which they lie. */
export type Declare = (tensor: Tensor, first: First) => void;

export type Check = (value: unknown, place: string, depth: number) => unknown;

export interface LayerType<J extends Layer = Layer, R extends ResolvedLayer = ResolvedLayer> {
  /** Checks of the keys that its JSON must have, and of those that it may have. */
  readonly needs: Readonly<Record<string, Check>>;
  readonly may?: Readonly<Record<string, Check>>;
  /** Throws INVALID_SPEC naming the sizes that don't fit. */
  resolve(json: J, at: Place): Omit<R, "path" | "input" | "activation">;
  parameters?(layer: R, declare: Declare): void;
  /** Adds the nodes that make the layer's output, named `name`, from x. */
  build?(g: Builder, layer: R, x: Tensor, name: string, activation: Activation): Tensor;
}

export type LayerTypes = Partial<Record<Layer["type"], LayerType>>;

export function weightsAt(path: string, inputs: number, outputs: number): void {
  if (inputs * outputs > LARGEST) {
    invalid(`${path}: ${inputs} x ${outputs} weights are more than the ${LARGEST} that a buffer can hold`);
  }
}
