// Twin of shaders/dropout.wgsl.
import type { StepValues } from "../../src/executable.js";
import type { Node } from "../../src/graph.js";
import { Stream } from "../../src/random.js";
import type { Activation } from "../../src/tensor.js";
import { slope } from "./activation.js";
import { wordsAt } from "./random.js";
import { at, tensorAt, type Twin } from "./twin.js";

/**
 * `values` [..., C] with each dropped at probability `rate` and the others divided by the rest. Counters go by vec4,
 * across padded pixels; a word, over 2^32, is a uniform number in [0, 1).
 */
function masked(node: Node, key: string, values: Float64Array, step: StepValues): Float64Array {
  const { rate, layer } = node.attributes as Record<string, number>;
  const channels = tensorAt(node, key).shape.at(-1)!;
  return values.map((value, i) => {
    const [pixel, c] = [Math.floor(i / channels), i % channels];
    const words = wordsAt(pixel * Math.ceil(channels / 4) + Math.floor(c / 4), step, Stream.dropout, layer);
    return words[c % 4]! / 2 ** 32 < rate! ? 0 : value / (1 - rate!);
  });
}

const dropout: Twin = (node, values, step) => ({ y: masked(node, "x", at(values, "x"), step) });

const dropoutGrad: Twin = (node, values, step) => {
  const saved = at(values, "saved");
  const activation = node.attributes.activation as Activation;
  const before = at(values, "dy").map((dy, i) => dy * slope(activation, saved[i]!));
  return { dx: masked(node, "dy", before, step) };
};

export const dropoutTwins: Readonly<Record<string, Twin>> = { dropout, dropout_grad: dropoutGrad };
