// Twin of shaders/batch_norm.wgsl: Ioffe and Szegedy (2015), Algorithm 1 and the gradients in section 3.
import type { Activation } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, tensorAt, type Twin } from "./twin.js";

/** Rows of channels, and parts: row r is in part r % parts. */
function sizes(node: Parameters<Twin>[0]) {
  const shape = (node.inputs.x ?? node.inputs.all_parts)!.shape;
  const channels = shape.at(-1)!;
  const rows = node.inputs.x ? shape.reduce((a, b) => a * b) / channels : Number(node.attributes.rows);
  return { rows, channels, parts: (node.outputs.parts ?? node.inputs.all_parts)?.shape[1] ?? 1 };
}

const moments: Twin = (node, values) => {
  const { rows, channels, parts } = sizes(node);
  const x = at(values, "x");
  const result = new Float64Array(parts * 2 * channels);
  for (let part = 0; part < parts; part++) {
    for (let c = 0; c < channels; c++) {
      const own: number[] = [];
      for (let row = part; row < rows; row += parts) own.push(x[row * channels + c]!);
      const mean = own.reduce((a, b) => a + b) / own.length;
      result[2 * part * channels + c] = mean;
      result[(2 * part + 1) * channels + c] = own.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    }
  }
  return { parts: result };
};

const combine: Twin = (node, values) => {
  const { rows, channels, parts } = sizes(node);
  const all = at(values, "all_parts");
  const rowsIn = (part: number) => Math.ceil((rows - part) / parts);
  const batch_mean = new Float64Array(channels);
  const batch_variance = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    for (let part = 0; part < parts; part++) batch_mean[c]! += (rowsIn(part) * all[2 * part * channels + c]!) / rows;
    for (let part = 0; part < parts; part++) {
      const between = rowsIn(part) * (all[2 * part * channels + c]! - batch_mean[c]!) ** 2;
      batch_variance[c]! += (all[(2 * part + 1) * channels + c]! + between) / rows;
    }
  }
  return { batch_mean, batch_variance };
};

const running: Twin = (node, values, step) => {
  const [mean, variance] = [at(values, "mean"), at(values, "variance")];
  const momentum = Number(node.attributes.momentum);
  const [halted, skipped] = at(values, "health");
  const counts = halted === 0 && skipped !== step.step + 1;
  // Statistics that are not finite stay out of the running ones, both of them.
  const updated = (old: Float64Array, batch: Float64Array) =>
    old.map((value, c) =>
      counts && Number.isFinite(mean[c]! + variance[c]!) ? momentum * value + (1 - momentum) * batch[c]! : value,
    );
  return {
    running_mean: updated(at(values, "running_mean"), mean),
    running_variance: updated(at(values, "running_variance"), variance),
  };
};

/** (x - mean) / deviation, and one over the deviation by channel. */
function normalized(node: Parameters<Twin>[0], values: Parameters<Twin>[1]) {
  const { channels } = sizes(node);
  const [mean, variance] = [at(values, "mean"), at(values, "variance")];
  const inverse = variance.map((value) => 1 / Math.sqrt(value + Number(node.attributes.epsilon)));
  const xhat = at(values, "x").map((value, i) => (value - mean[i % channels]!) * inverse[i % channels]!);
  return { xhat, inverse };
}

const batchNorm: Twin = (node, values) => {
  const { channels } = sizes(node);
  const [gamma, beta] = [at(values, "gamma"), at(values, "beta")];
  const pre = normalized(node, values).xhat.map((value, i) => gamma[i % channels]! * value + beta[i % channels]!);
  const y = pre.map((a) => activate((node.attributes.activation ?? "none") as Activation, a));
  return node.outputs.pre ? { y, pre } : { y };
};

const sums: Twin = (node, values) => {
  const { channels, parts } = sizes(node);
  const { xhat } = normalized(node, values);
  const result = new Float64Array(parts * 2 * channels);
  at(values, "dy").forEach((dy, i) => {
    const part = Math.floor(i / channels) % parts;
    result[2 * part * channels + (i % channels)]! += dy;
    result[(2 * part + 1) * channels + (i % channels)]! += dy * xhat[i]!;
  });
  return { parts: result };
};

const gradParams: Twin = (node, values) => {
  const { rows, channels, parts } = sizes(node);
  const [all, gamma] = [at(values, "all_parts"), at(values, "gamma")];
  const [dgamma, dbeta] = [new Float64Array(channels), new Float64Array(channels)];
  for (let part = 0; part < parts; part++) {
    for (let c = 0; c < channels; c++) {
      dbeta[c]! += all[2 * part * channels + c]!;
      dgamma[c]! += all[(2 * part + 1) * channels + c]!;
    }
  }
  const mean = (sum: number, c: number) => (gamma[c]! * sum) / rows;
  return { dgamma, dbeta, gradient_means: Float64Array.from([...dbeta.map(mean), ...dgamma.map(mean)]) };
};

const grad: Twin = (node, values) => {
  const { channels } = sizes(node);
  const [gamma, dy, means, saved] = ["gamma", "dy", "means", "saved"].map((key) => at(values, key));
  const { xhat, inverse } = normalized(node, values);
  const activation = tensorAt(node, "x").activation ?? "none";
  const dx = xhat.map((value, i) => {
    const c = i % channels;
    const centred = gamma![c]! * dy![i]! - means![c]! - value * means![channels + c]!;
    return inverse[c]! * centred * slope(activation, saved![i]!);
  });
  return { dx };
};

export const batchNormTwins: Readonly<Record<string, Twin>> = {
  batch_norm_moments: moments,
  batch_norm_combine: combine,
  batch_norm_running: running,
  batch_norm: batchNorm,
  batch_norm_sums: sums,
  batch_norm_grad_params: gradParams,
  batch_norm_grad: grad,
};
