// A ModelSpec is plain JSON that describes a VAE. This file checks one and computes every layer's shape.
import { countAt, invalid, objectAt, product, reading, shapeAt, show } from "./checks.js";
import { conditionAt, conditionTypes } from "./conditions/index.js";
import type { Condition } from "./conditions/json.js";
import type { mismatch } from "./fitting.js";
import { weightsAt, type ResolvedLayer } from "./layers/definition.js";
import { layersAt, resolveLayers } from "./layers/index.js";
import type { Layer } from "./layers/json.js";
import { likelihoodAt, likelihoodOf } from "./likelihoods/index.js";
import type { Likelihood } from "./likelihoods/json.js";
import type { PriorJson } from "./priors/definition.js";
import { priorAt } from "./priors/index.js";
import type { Prior } from "./priors/json.js";

/** Describes a VAE, as plain JSON. */
export interface ModelSpec {
  /** Shape of one example: [height, width, channels] or [features]. */
  readonly input: readonly number[];
  readonly encoder: readonly Layer[];
  /** Number of latent dimensions. The library adds linear heads for their mean and log variance. */
  readonly latent: number;
  readonly decoder: readonly Layer[];
  readonly likelihood: Likelihood;
  /** p(z). Default: N(0, 1). */
  readonly prior?: Prior;
  /** What encoder and decoder are given besides x and z: a conditional VAE (Sohn et al. 2015). Default: nothing. */
  readonly condition?: Condition;
}

/** A spec as it is saved: a prior that is the default is absent. */
export interface CheckedSpec extends ModelSpec {
  readonly prior?: PriorJson;
}

export interface ResolvedSpec {
  readonly spec: CheckedSpec;
  /** Number of values in one example. */
  readonly inputSize: number;
  /** The shape of an example in the graphs: an image if a layer needs one, else a vector. */
  readonly layout: readonly number[];
  readonly encoder: readonly ResolvedLayer[];
  /** Shape of the heads' input. */
  readonly features: readonly number[];
  readonly decoder: readonly ResolvedLayer[];
  /**
   * The values of a condition, which follow z in the decoder's input, and x in the encoder's where that is a vector; else
   * they follow the encoder's output.
   */
  readonly condition?: { readonly size: number; readonly beside: "x" | "features" };
}

/**
 * @internal Checks a spec and computes its shapes. Throws INVALID_SPEC naming the place, what was found and what is
 * allowed; if the decoder's final shape differs from the input's, also what `remedies` adds: the shapes along both lists
 * of layers, and a change that makes them fit.
 */
export function resolveSpec(value: unknown, remedies?: typeof mismatch): ResolvedSpec {
  return reading("INVALID_SPEC", "the model spec", () => resolve(value, remedies));
}

function resolve(value: unknown, remedies?: typeof mismatch): ResolvedSpec {
  const spec = objectAt(value, "the model spec", [
    ...["input", "encoder", "latent", "decoder", "likelihood", "prior", "condition"],
  ]);
  const input = shapeAt(spec.input, "input");
  const latent = countAt(spec.latent, "latent");
  const encoder = layersAt(spec.encoder, "encoder");
  const decoder = layersAt(spec.decoder, "decoder");
  const likelihood = likelihoodAt(spec.likelihood);
  const prior = priorAt(spec.prior);
  const condition = conditionAt(spec.condition);
  const type = condition && conditionTypes[condition.type]!;
  const given = type ? type.size(condition) : 0;
  const inputSize = product(input);
  const encoded = resolveLayers(encoder, "encoder", input);
  const decoderInput = [latent + given];
  const decoded = resolveLayers(decoder, "decoder", decoderInput);
  const end = decoded.at(-1)?.output ?? decoderInput;
  if (String(end) !== String(input) && String(end) !== String([inputSize])) {
    const words = `decoder: ends in shape ${show(end)}, but the input's shape is ${show(input)}`;
    const chains = [
      { name: "encoder", layers: encoder, resolved: encoded, from: input },
      { name: "decoder", layers: decoder, resolved: decoded, from: decoderInput },
    ];
    invalid(words + (remedies?.(chains, input) ?? ""));
  }
  const last = decoded.findLast(({ type }) => type !== "reshape");
  if (!last || !["dense", "conv2d", "conv_transpose2d"].includes(last.type)) {
    const found = last ? `, found ${last.path} (${last.type})` : "";
    invalid(`decoder: its last layer makes the logits or means and must be dense, conv2d or conv_transpose2d${found}`);
  }
  const { link } = likelihoodOf(likelihood).type;
  if (link && last.activation !== "none") {
    invalid(
      `${last.path}: the last layer makes the Bernoulli's logits, and the library applies the sigmoid, so it can have ` +
        `no activation; found "${last.activation}"`,
    );
  }
  // A dense layer, and any layer that keeps the shape, takes an image as a vector, which wastes no padding.
  const first = encoded.find(({ type }) => type !== "reshape" && type !== "dropout");
  const flat = (first === undefined || first.type === "dense") && last.type === "dense";
  const layout = flat ? [inputSize] : input;
  const beside = type && type.beside(encoded, input, flat, given);
  const from = beside?.from ?? layout;
  const relaid = reshapesInto(beside?.layers ?? encoded, from, beside?.to);
  const features = relaid.at(-1)?.output ?? from;
  const read = beside?.at === "features" ? [features[0]! + given] : features;
  weightsAt("mean", product(read), 2 * latent);
  return {
    spec: {
      ...{ input, encoder, latent, decoder, likelihood },
      ...(prior ? { prior } : {}),
      ...(condition ? { condition } : {}),
    },
    inputSize,
    layout,
    encoder: relaid,
    features: read,
    decoder: reshapesInto(decoded, decoderInput, layout),
    ...(beside ? { condition: { size: given, beside: beside.at } } : {}),
  };
}

/**
 * The layers without the reshapes that can be skipped: a dense layer can take and make any shape, so it directly makes
 * the shape of a reshape that follows. `from` is the first layer's input, `to` the shape of the last one's output.
 */
function reshapesInto(
  layers: readonly ResolvedLayer[],
  from: readonly number[],
  to = layers.at(-1)?.output,
): ResolvedLayer[] {
  const result: ResolvedLayer[] = [];
  let shape = from;
  const push = (layer: ResolvedLayer) => {
    const previous = result.at(-1);
    if (layer.type === "reshape") {
      if (String(layer.output) === String(shape)) return;
      if (previous?.type === "dense") result[result.length - 1] = { ...previous, output: layer.output };
      else if (previous?.type === "reshape") result[result.length - 1] = { ...previous, output: layer.output };
      else result.push({ ...layer, input: shape });
    } else if (layer.type === "dense") {
      // Reshapes before a dense layer make no difference to it, since it sees its input as one vector.
      const input = previous?.type === "reshape" ? previous.input : shape;
      if (previous?.type === "reshape") result.pop();
      result.push({ ...layer, input });
    } else if (layer.type === "dropout" && product(layer.input) === product(shape)) {
      result.push({ ...layer, input: shape, output: shape });
    } else if (layer.layers) {
      result.push({ ...layer, layers: reshapesInto(layer.layers, layer.input, layer.output) });
    } else result.push(layer);
    shape = result.at(-1)?.output ?? from;
  };
  for (const layer of layers) {
    // If a layer depends on the shape that a skipped reshape would have made, the reshape is needed after all.
    const looks = layer.type !== "dense" && layer.type !== "dropout" && layer.type !== "reshape";
    if (looks && String(layer.input) !== String(shape)) push(reshaping(layer.path, shape, layer.input));
    push(layer);
  }
  if (to && String(to) !== String(shape)) push(reshaping("the end", shape, to));
  return result;
}

function reshaping(path: string, input: readonly number[], output: readonly number[]): ResolvedLayer {
  return { type: "reshape", path, input, output, activation: "none" };
}
