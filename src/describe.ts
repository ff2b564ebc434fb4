// The shapes, parameters and FLOPs of a model's layers, computed without a GPU.
import { product, show } from "./checks.js";
import type { ResolvedConv } from "./layers/conv2d.js";
import type { ResolvedLayer } from "./layers/definition.js";
import { resolveLayers } from "./layers/index.js";
import type { Layer, ResidualLayer } from "./layers/json.js";
import { defineModel } from "./parameters.js";
import { resolveSpec, type ModelSpec, type ResolvedSpec } from "./spec.js";
import { size } from "./tensor.js";
import { install, mismatch } from "./toolbox.js";

// All layers are to be known; the bundle has them in layers.js.
install();

/** One layer of a model, the linear heads that the library adds, or what encoder and decoder are conditioned on. */
export interface LayerDescription {
  /**
   * Its path in the spec, which its parameters' names start with: "encoder.0", or "encoder.2.0" inside a residual; also
   * "heads", "condition" and "prior".
   */
  readonly place: string;
  /** As in the spec; "mean, log_variance" for the heads, "learned sigma" for the likelihood's parameter. */
  readonly type: string;
  /** Shapes of one example. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Number of trained values: weights, biases, gammas and betas, and the means and log variances of a prior. */
  readonly parameters: number;
  /** Floating-point operations in products and convolutions of one example's forward pass, two per multiply-add. */
  readonly flops: number;
}

/** What `describe` returns. */
export interface ModelDescription {
  /** In the order that an example passes through them. */
  readonly layers: readonly LayerDescription[];
  readonly parameters: number;
  /** One example's forward pass: the sum over the layers. */
  readonly flops: number;
  /**
   * One example's share of a training step: the forward pass and both gradients of each product, except the input's.
   */
  readonly stepFlops: number;
  /** All of this as a table for a fixed-width font. */
  readonly text: string;
}

/** Shapes, parameters and operations of a model, by layer. Needs no GPU. Throws INVALID_SPEC like VAE.create. */
export function describe(spec: ModelSpec): ModelDescription {
  const resolved = resolveSpec(spec, mismatch);
  const { input, latent, encoder, decoder, prior, condition } = resolved.spec;
  const layers: LayerDescription[] = [];
  const counts = new Map<string, number>();
  for (const { tensor } of defineModel(resolved).parameters) {
    const place = tensor.name.replace(/\.?[^.]+$/, "");
    counts.set(place, (counts.get(place) ?? 0) + size(tensor.shape));
  }
  const add = (place: string, type: string, from: readonly number[], output: readonly number[], flops: number) =>
    layers.push({ place, type, input: from, output, parameters: counts.get(place) ?? 0, flops });
  const walk = (given: readonly Layer[], all: readonly ResolvedLayer[]): void =>
    all.forEach((layer, i) => {
      const own = given[i]!;
      if (layer.layers) walk((own as ResidualLayer).layers, layer.layers);
      add(layer.path, own.type, layer.input, layer.output, flopsOf(layer));
    });
  const given = resolved.condition?.size ?? 0;
  if (condition) add("condition", condition.type, [], [given], 0);
  const encoded = withCondition(resolveLayers(encoder, "encoder", input), resolved);
  const features = condition ? resolved.features : (encoded.at(-1)?.output ?? input);
  walk(encoder, encoded);
  add("heads", "mean, log_variance", features, [2, latent], 4 * product(features) * latent);
  walk(decoder, resolveLayers(decoder, "decoder", [latent + given]));
  if (counts.has("")) add("", "learned sigma", [], [1], 0);
  if (prior) add("prior", prior.type, [], [latent], 0);
  const total = (key: "parameters" | "flops") => layers.reduce((sum, layer) => sum + layer[key], 0);
  const [parameters, flops] = [total("parameters"), total("flops")];
  const stepFlops = 3 * flops - (layers.find((layer) => layer.flops > 0)?.flops ?? 0);
  const sum = { place: "", type: "all", input, output: input, parameters, flops };
  return { layers, parameters, flops, stepFlops, text: table([...layers, sum], input) };
}

/** An encoder's layers. If a condition follows x, the first dense layer also takes the condition's values. */
function withCondition(
  layers: readonly ResolvedLayer[],
  { condition, inputSize }: ResolvedSpec,
): readonly ResolvedLayer[] {
  if (condition?.beside !== "x") return layers;
  const first = layers.findIndex(({ type }) => type === "dense");
  const wide = [inputSize + condition.size];
  return layers.map((layer, i) => (i === first ? { ...layer, input: wide } : layer));
}

function flopsOf(layer: ResolvedLayer): number {
  const { input, output } = layer;
  const { kernel = [] } = layer as Partial<ResolvedConv>;
  if (layer.type === "dense") return 2 * product(input) * product(output);
  if (layer.type === "conv2d") return 2 * product(kernel) * (input[2] ?? 1) * product(output);
  if (layer.type === "conv_transpose2d") return 2 * product(kernel) * product(input) * (output[2] ?? 1);
  return 0;
}

function table(layers: readonly LayerDescription[], input: readonly number[]): string {
  const cells = layers.map(({ place, type, output, parameters, flops }) => [
    place,
    type,
    show(output),
    ...[parameters, flops].map((n) => n.toLocaleString("en")),
  ]);
  const rows = [["layer", "type", "output", "parameters", "FLOPs"], ["", "input", show(input), "", ""], ...cells];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  // Names are left-aligned, numbers right-aligned.
  const line = (row: string[]) => row.map((cell, i) => (i < 3 ? cell.padEnd(width(i)) : cell.padStart(width(i))));
  return rows.map((row) => line(row).join("  ").trimEnd()).join("\n");
}
