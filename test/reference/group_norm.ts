// Twin of shaders/group_norm.wgsl: Wu and He (2018), equations 1, 2 and 6, by example, pixel and channel.
import type { Node } from "../../src/graph.js";
import type { Activation } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, tensorAt, type Twin, type Values } from "./twin.js";

/** Pixel r of an example is in the example's part r % parts. */
function sizes(node: Node) {
  const shape = (node.inputs.x ?? node.inputs.all_parts)!.shape;
  const [batch, channels] = [shape[0]!, shape.at(-1)!];
  const pixels = node.inputs.x ? shape.reduce((a, b) => a * b) / batch / channels : Number(node.attributes.rows);
  const parts = (node.outputs.parts ?? node.inputs.all_parts)?.shape[1] ?? 1;
  const groupSize = channels / Number(node.attributes.groups);
  /** Place in [B, parts, 2, C]. */
  const place = (example: number, part: number, which: 0 | 1, c: number) =>
    ((example * parts + part) * 2 + which) * channels + c;
  return { batch, pixels, channels, parts, groupSize, groupOf: (c: number) => Math.floor(c / groupSize), place };
}

/** `visit` with every example, pixel and channel, and the value's place. */
function eachValue(node: Node, visit: (example: number, pixel: number, c: number, i: number) => void): void {
  const { batch, pixels, channels } = sizes(node);
  for (let i = 0; i < batch * pixels * channels; i++) {
    visit(Math.floor(i / channels / pixels), Math.floor(i / channels) % pixels, i % channels, i);
  }
}

const moments: Twin = (node, values) => {
  const { batch, pixels, channels, parts, place } = sizes(node);
  const x = at(values, "x");
  const result = new Float64Array(batch * parts * 2 * channels);
  const rowsIn = (part: number) => Math.ceil((pixels - part) / parts);
  eachValue(node, (example, pixel, c, i) => {
    result[place(example, pixel % parts, 0, c)]! += x[i]! / rowsIn(pixel % parts);
  });
  eachValue(node, (example, pixel, c, i) => {
    result[place(example, pixel % parts, 1, c)]! += (x[i]! - result[place(example, pixel % parts, 0, c)]!) ** 2;
  });
  return { parts: result };
};

const combine: Twin = (node, values) => {
  const { batch, pixels, channels, parts, groupSize, groupOf, place } = sizes(node);
  const all = at(values, "all_parts");
  const group_mean = new Float64Array(batch * channels);
  const group_variance = new Float64Array(batch * channels);
  for (let i = 0; i < batch * channels; i++) {
    const [example, own] = [Math.floor(i / channels), groupOf(i % channels)];
    const sum = (value: (rows: number, part: number, c: number) => number) => {
      let total = 0;
      for (let part = 0; part < parts; part++) {
        const rows = Math.ceil((pixels - part) / parts);
        for (let c = own * groupSize; c < (own + 1) * groupSize; c++) total += value(rows, part, c);
      }
      return total / (pixels * groupSize);
    };
    const mean = sum((rows, part, c) => rows * all[place(example, part, 0, c)]!);
    group_mean[i] = mean;
    group_variance[i] = sum(
      (rows, part, c) => all[place(example, part, 1, c)]! + rows * (all[place(example, part, 0, c)]! - mean) ** 2,
    );
  }
  return { group_mean, group_variance };
};

/** (x - mean) / deviation, and one over the deviation, of each value. */
function normalized(node: Node, values: Values) {
  const { channels } = sizes(node);
  const [x, mean, variance] = [at(values, "x"), at(values, "mean"), at(values, "variance")];
  const [xhat, inverse] = [new Float64Array(x.length), new Float64Array(x.length)];
  eachValue(node, (example, _, c, i) => {
    inverse[i] = 1 / Math.sqrt(variance[example * channels + c]! + Number(node.attributes.epsilon));
    xhat[i] = (x[i]! - mean[example * channels + c]!) * inverse[i];
  });
  return { xhat, inverse };
}

const groupNorm: Twin = (node, values) => {
  const { channels } = sizes(node);
  const [gamma, beta] = [at(values, "gamma"), at(values, "beta")];
  const pre = normalized(node, values).xhat.map((value, i) => gamma[i % channels]! * value + beta[i % channels]!);
  const y = pre.map((a) => activate((node.attributes.activation ?? "none") as Activation, a));
  return node.outputs.pre ? { y, pre } : { y };
};

const sums: Twin = (node, values) => {
  const { batch, channels, parts, place } = sizes(node);
  const dy = at(values, "dy");
  const { xhat } = normalized(node, values);
  const result = new Float64Array(batch * parts * 2 * channels);
  eachValue(node, (example, pixel, c, i) => {
    result[place(example, pixel % parts, 0, c)]! += dy[i]!;
    result[place(example, pixel % parts, 1, c)]! += dy[i]! * xhat[i]!;
  });
  return { parts: result };
};

const gradParams: Twin = (node, values) => {
  const { batch, pixels, channels, parts, groupSize, groupOf, place } = sizes(node);
  const [all, gamma] = [at(values, "all_parts"), at(values, "gamma")];
  const [dgamma, dbeta] = [new Float64Array(channels), new Float64Array(channels)];
  const gradient_means = new Float64Array(batch * 2 * channels);
  for (let example = 0; example < batch; example++) {
    for (let c = 0; c < channels; c++) {
      for (let part = 0; part < parts; part++) {
        const [sum, product] = [all[place(example, part, 0, c)]!, all[place(example, part, 1, c)]!];
        dbeta[c]! += sum;
        dgamma[c]! += product;
        for (let other = 0; other < channels; other++) {
          if (groupOf(other) !== groupOf(c)) continue;
          gradient_means[2 * example * channels + other]! += (gamma[c]! * sum) / (pixels * groupSize);
          gradient_means[(2 * example + 1) * channels + other]! += (gamma[c]! * product) / (pixels * groupSize);
        }
      }
    }
  }
  return { dgamma, dbeta, gradient_means };
};

const grad: Twin = (node, values) => {
  const { channels } = sizes(node);
  const [gamma, dy, means, saved] = ["gamma", "dy", "means", "saved"].map((key) => at(values, key));
  const { xhat, inverse } = normalized(node, values);
  const activation = tensorAt(node, "x").activation ?? "none";
  const dx = new Float64Array(xhat.length);
  eachValue(node, (example, _, c, i) => {
    const own = 2 * example * channels + c;
    const centred = gamma![c]! * dy![i]! - means![own]! - xhat[i]! * means![own + channels]!;
    dx[i] = inverse[i]! * centred * slope(activation, saved![i]!);
  });
  return { dx };
};

export const groupNormTwins: Readonly<Record<string, Twin>> = {
  group_norm_moments: moments,
  group_norm_combine: combine,
  group_norm: groupNorm,
  group_norm_sums: sums,
  group_norm_grad_params: gradParams,
  group_norm_grad: grad,
};
