// Where an encoder gets a condition.
import { product } from "../checks.js";
import type { ResolvedLayer } from "../layers/definition.js";
import type { Beside } from "./definition.js";

/**
 * Beside x, if the encoder takes that as a vector: its first dense layer, and what comes before, is then so much wider.
 * Otherwise beside what the encoder makes of an image, as a vector.
 */
export function besideEncoder(
  encoder: readonly ResolvedLayer[],
  input: readonly number[],
  flat: boolean,
  size: number,
): Beside {
  if (!flat) return { at: "features", layers: encoder, from: input, to: [product(encoder.at(-1)?.output ?? input)] };
  const wide = [product(input) + size];
  const dense = encoder.findIndex(({ type }) => type === "dense");
  const layers = encoder.flatMap((layer, index): readonly ResolvedLayer[] => {
    if (dense >= 0 && index > dense) return [layer];
    if (layer.type === "reshape") return [];
    return [{ ...layer, input: wide, output: layer.type === "dense" ? layer.output : wide }];
  });
  return { at: "x", layers, from: wide };
}
