// Batch normalization (shaders/batch_norm.wgsl), and the nodes and kernels that group normalization shares with it.
import batchNormShader from "../../shaders/batch_norm.wgsl";
import type { Attributes, Node } from "../graph.js";
import type { ShaderSource } from "../shader_source.js";
import { activationCode, like, size, slopeNeedsInput, tensor, type Activation, type Tensor } from "../tensor.js";
import { arriving, ceilDiv, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";

/** Each channel's gain and offset, [C]. */
export interface NormTensors {
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

/** Plus the running statistics, which replace a batch's after training, [C]. */
export interface BatchNormTensors extends NormTensors {
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
}

/**
 * y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta) with the batch's statistics per channel, for x [B, D] or
 * [B, H, W, C]; the last node makes y.
 */
export function batchNorm(
  name: string,
  x: Tensor,
  affine: NormTensors,
  { epsilon }: { readonly epsilon: number },
  activation: Activation = "none",
): Node[] {
  const moments = momentsNode("batch_norm", name, x, {});
  const channels = x.shape.slice(-1);
  const batch_mean = tensor(`${name}.mean`, "activation", channels);
  const batch_variance = tensor(`${name}.variance`, "activation", channels);
  const combine: Node = {
    op: "batch_norm_combine",
    inputs: { all_parts: moments.outputs.parts },
    outputs: { batch_mean, batch_variance },
    attributes: { rows: layoutOf(x).rows },
  };
  const statistics = { mean: batch_mean, variance: batch_variance };
  return [moments, combine, normNode("batch_norm", name, x, affine, statistics, { epsilon, activation })];
}

/**
 * Updates the running statistics in place: momentum * running + (1 - momentum) * the batch's, with the biased variance
 * like Keras. The first argument is the last node of the normalization. `health` comes from gradient_norm: a step that
 * does not change the weights does not change the statistics either.
 */
export function updateRunning(
  { inputs }: Node,
  { runningMean: running_mean, runningVariance: running_variance }: BatchNormTensors,
  { momentum }: { readonly momentum: number },
  health: Tensor,
): Node {
  const { mean, variance } = inputs as { mean: Tensor; variance: Tensor };
  return {
    op: "batch_norm_running",
    inputs: { mean, variance, health },
    outputs: { running_mean, running_variance },
    attributes: { momentum },
  };
}

/** The same with the running statistics, so that an example's result does not depend on the others. */
export function batchNormInference(
  name: string,
  x: Tensor,
  { runningMean: mean, runningVariance: variance, ...affine }: BatchNormTensors,
  { epsilon }: { readonly epsilon: number },
  activation: Activation = "none",
): Node {
  return normNode("batch_norm", name, x, affine, { mean, variance }, { epsilon, activation });
}

/**
 * x as lib/norm.wgsl sees it: sections of rows, divided into so many parts that summing a part and then summing over
 * parts take about equally long, so that a GPU waits for neither.
 */
export function layoutOf(x: Tensor, groups = 0): { sections: number; rows: number; parts: number } {
  const [batch = 1] = x.shape;
  const channels = x.shape.at(-1) ?? 1;
  const sections = groups ? batch : 1;
  const rows = size(x.shape) / channels / sections;
  const alongside = groups ? Math.max(sections, channels / groups) : 1;
  return { sections, rows, parts: Math.ceil(Math.sqrt(rows / (2 * alongside))) };
}

function partsTensor(name: string, x: Tensor, groups: Attributes[string] | undefined): Tensor {
  const { sections, parts } = layoutOf(x, Number(groups ?? 0));
  return tensor(name, "activation", [sections, parts, 2, x.shape.at(-1) ?? 1]);
}

export function momentsNode(op: string, name: string, x: Tensor, attributes: Attributes) {
  const parts = partsTensor(`${name}.parts`, x, attributes.groups);
  return { op: `${op}_moments`, inputs: { x }, outputs: { parts }, attributes } satisfies Node;
}

/** The node that computes y from x and its statistics. */
export function normNode(
  op: string,
  name: string,
  x: Tensor,
  { gamma, beta }: NormTensors,
  statistics: { readonly mean: Tensor; readonly variance: Tensor },
  attributes: Attributes & { readonly activation: Activation },
): Node {
  const { activation } = attributes;
  const pre = slopeNeedsInput(activation) ? { pre: tensor(`${name}.pre`, "activation", x.shape) } : {};
  const y = tensor(name, "activation", x.shape, activation === "none" ? {} : { activation, ...pre });
  return { op, inputs: { x, gamma, beta, ...statistics }, outputs: { y, ...pre }, attributes };
}

/** The whole rule is on the last node, including the paths to x, gamma and beta through the statistics. */
function gradient(node: Node, upstream: Adjoints, wanted: (input: string) => boolean): Gradients {
  const { op, inputs, outputs, attributes } = node;
  const { x, gamma, beta, mean, variance } = inputs as Record<"x" | "gamma" | "beta" | "mean" | "variance", Tensor>;
  const dy = arriving(node, upstream, "y");
  if (mean.role !== "activation") throw new Error(`${op}: no gradient passes running statistics (${mean.name})`);
  const name = outputs.y?.name ?? "";
  const grouped = attributes.groups === undefined ? {} : { groups: attributes.groups };
  const own = { epsilon: Number(attributes.epsilon), ...grouped };
  const parts = partsTensor(`d${name}.parts`, x, attributes.groups);
  const [sections = 1, , ...pairs] = parts.shape;
  const means = tensor(`d${name}.means`, "activation", [sections, ...pairs]);
  const made = (key: string, of: Tensor) => like(of, `d${of.name}`, wanted(key) ? "gradient" : "activation");
  const of = { gamma: made("gamma", gamma), beta: made("beta", beta) };
  const nodes: Node[] = [
    { op: `${op}_sums`, inputs: { x, dy, mean, variance }, outputs: { parts }, attributes: own },
    {
      op: `${op}_grad_params`,
      inputs: { all_parts: parts, gamma },
      outputs: { dgamma: of.gamma, dbeta: of.beta, gradient_means: means },
      attributes: { rows: layoutOf(x, Number(attributes.groups ?? 0)).rows, ...grouped },
    },
  ];
  if (!wanted("x")) return { nodes, of };
  const dx = tensor(`d${x.name}`, "activation", x.shape);
  nodes.push({
    op: `${op}_grad`,
    inputs: { x, gamma, mean, variance, dy, means, saved: x.pre ?? x },
    outputs: { dx },
    attributes: { ...own, activation: x.activation ?? "none" },
  });
  return { nodes, of: { x: dx, ...of } };
}

const WORKGROUP_SIZE = 64;
/** Rows per invocation: eight loads of x for every four of gamma, beta and the statistics. */
const STRIP_ROWS = 8;

function kernel(shader: ShaderSource, { op, inputs, outputs, attributes }: Node): Kernel {
  const { x, all_parts: gathered } = inputs;
  const sized = x ?? gathered ?? inputs.mean;
  const groups = Number(attributes.groups ?? 0);
  const channelCount = sized?.shape.at(-1) ?? 1;
  const channels = (sized?.storage.at(-1) ?? 4) / 4;
  // Nodes that only read parts need the number of rows that these cover.
  const { sections, rows } = x
    ? layoutOf(x, groups)
    : { sections: gathered?.shape[0] ?? 1, rows: Number(attributes.rows ?? 1) };
  const parts = (outputs.parts ?? gathered)?.shape[1] ?? ceilDiv(rows, STRIP_ROWS);
  const overParts = groups ? sections * (groups + 1) + (outputs.dgamma ? 4 * channels : 0) : channels;
  return {
    shader,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ACTIVATION: activationCode((attributes.activation ?? "none") as Activation),
      KEEP_PRE: outputs.pre ? 1 : 0,
    },
    shape: {
      sections,
      rows,
      channels,
      channel_count: channelCount,
      parts,
      group_size: groups ? channelCount / groups : 1,
      epsilon: Number(attributes.epsilon ?? 0),
      momentum: Number(attributes.momentum ?? 0),
    },
    workgroups: ceilDiv(x ? sections * parts * channels : overParts, WORKGROUP_SIZE),
  };
}

/** The six ops of a normalization; those of each stem differ in how its statistics are combined. */
export function normOps(op: string, shader: ShaderSource): Op[] {
  const suffixes = ["_moments", "_combine", "", "_sums", "_grad_params", "_grad"];
  return suffixes.map((suffix) => ({
    name: op + suffix,
    kernel: (node: Node) => kernel(shader, node),
    ...(suffix === "" ? { gradient } : {}),
  }));
}

export const batchNormOps: readonly Op[] = [
  ...normOps("batch_norm", batchNormShader),
  { name: "batch_norm_running", kernel: (node) => kernel(batchNormShader, node) },
];
