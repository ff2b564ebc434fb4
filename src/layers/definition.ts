// What a type of layer is: the keys of its JSON, the shape it makes of its input's, its parameters and its nodes. The
// core has dense layers and changes of shape; the others are registered once they are loaded (toolbox.ts).
import { invalid, LARGEST, objectAt, product, quoted, show } from "../checks.js";
import type { Node } from "../graph.js";
import type { Activation, Tensor } from "../tensor.js";
import { meant } from "../words.js";
import type { Layer } from "./json.js";

/** A layer with all sizes worked out. A type adds what its nodes need. */
export interface ResolvedLayer {
  readonly type: Exclude<Layer["type"], "flatten">;
  /** The layer's place in the spec: "encoder.0"; its parameters are named by it. */
  readonly path: string;
  /** Shapes of one example: [H, W, C], or [D], or any that a dense layer may take and make. */
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
 * gain at 1.
 */
export interface First {
  readonly kind: "weight" | "bias" | "offset" | "gain";
  readonly fans?: { readonly fanIn: number; readonly fanOut: number };
  /** As it is saved; default: the tensor's own shape. */
  readonly shape?: readonly number[];
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

/** Of all that are loaded. */
export const layerTypes: LayerTypes = {};

/** The type of a layer that has been resolved, or whose JSON has been checked. */
export const typeOf = ({ type }: { readonly type: Layer["type"] }): LayerType => layerTypes[type]!;

/** The deepest that residual layers may hold each other: JSON from outside must not exhaust the stack. */
const DEEPEST = 16;
/** The most layers in one list, since each is checked, planned and compiled. */
const MOST = 1000;

/** A list of layers from JSON. Throws INVALID_SPEC naming the place, what was found and what is allowed. */
export function layersAt(value: unknown, place: string, depth = 0): Layer[] {
  if (!Array.isArray(value)) invalid(`${place}: expected an array of layers, found ${quoted(value)}`);
  if (value.length > MOST) invalid(`${place}: has ${value.length} layers; at most ${MOST} can be in a list`);
  if (depth > DEEPEST) invalid(`${place}: residual layers may hold each other at most ${DEEPEST} deep`);
  return value.map((item: unknown, index): Layer => {
    const path = `${place}.${index}`;
    const type = item !== null && typeof item === "object" ? (item as { type?: unknown }).type : undefined;
    if (typeof type !== "string" || !Object.hasOwn(layerTypes, type)) {
      const known = Object.keys(layerTypes);
      const found = `${quoted(type ?? item)}${meant(type ?? item, known)}`;
      invalid(`${path}: expected a layer of type ${known.join(", ")}, found ${found}`);
    }
    const { needs, may = {} } = layerTypes[type as Layer["type"]]!;
    const given = objectAt(item, path, ["type", ...Object.keys(needs), ...Object.keys(may)]);
    const checked: Record<string, unknown> = { type };
    for (const [key, check] of Object.entries({ ...needs, ...may })) {
      if (given[key] === undefined && key in may) continue;
      checked[key] = check(given[key], key === "layers" ? path : `${path} (${type}): ${key}`, depth);
    }
    return checked as unknown as Layer;
  });
}

/** `layers` on an input of shape `from`. Throws INVALID_SPEC naming the layer and the sizes that don't fit. */
export function resolveLayers(layers: readonly Layer[], place: string, from: readonly number[]): ResolvedLayer[] {
  let input = from;
  return layers.map((layer, index) => {
    const path = `${place}.${index}`;
    const named = `${path} (${layer.type})`;
    const activation = ("activation" in layer ? layer.activation : undefined) ?? "none";
    const whole = { path, input, activation };
    const resolved: ResolvedLayer = { ...whole, ...typeOf(layer).resolve(layer, { ...whole, place: named }) };
    if (product(resolved.output) > LARGEST) {
      invalid(`${named}: its output ${show(resolved.output)} has more than ${LARGEST} values`);
    }
    input = resolved.output;
    return resolved;
  });
}

export function weightsAt(path: string, inputs: number, outputs: number): void {
  if (inputs * outputs > LARGEST) {
    invalid(`${path}: ${inputs} x ${outputs} weights are more than the ${LARGEST} that a buffer can hold`);
  }
}
