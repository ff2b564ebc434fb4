// The Bernoulli reconstruction term from logits, with its gradient (shaders/bernoulli.wgsl).
import bernoulliShader from "../../shaders/bernoulli.wgsl";
import type { Node } from "../graph.js";
import type { ShaderSource } from "../shader_source.js";
import { size, tensor, type Tensor } from "../tensor.js";
import {
  ceilDiv,
  copiesConstant,
  copiesOf,
  siteConstant,
  stridesOf,
  weightOf,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
} from "./op.js";

/** Stored values of a row that one invocation sums: SEGMENT vec4 in the shaders of the reconstruction terms. */
export const SEGMENT_VALUES = 64;

/** A term's sums before the last one: a row per row of the decoder's output, a value per segment of its pixels. */
export function reconstructionSums(output: Tensor): Tensor {
  const [batch = 1] = output.shape;
  const { segments } = exampleSizes(output);
  return { name: "reconstruction", role: "ring", shape: [batch, segments], storage: [batch, segments] };
}

/** How an example of x [B, D] or [B, H, W, C] lies in storage, as the shaders of the terms and of gather ask for it. */
export function exampleSizes({ shape, storage }: Tensor) {
  const stored = size(storage.slice(1));
  return {
    pixels: stored / 4,
    inner: (storage.at(-1) ?? 4) / 4,
    inner_count: shape.at(-1) ?? 1,
    segments: ceilDiv(stored, SEGMENT_VALUES),
  };
}

/** -log p(x|logits) in nats, [B K, segments], of logits [B K, D] for x [B, D]. */
export function bernoulli(logits: Tensor, x: Tensor): Node {
  return {
    op: "bernoulli",
    inputs: { logits, x },
    outputs: { reconstruction: reconstructionSums(logits) },
    attributes: copiesOf(logits, x),
  };
}

function gradient(node: Node, upstream: Adjoints): Gradients {
  const { logits } = node.inputs as Record<"logits", Tensor>;
  const dlogits = tensor("dlogits", "activation", logits.shape);
  return { nodes: [likelihoodGradient(node, upstream, { dlogits })], of: { logits: dlogits } };
}

/**
 * NAME_grad of a likelihood: what `outputs` are by the loss's weight. Where that is a knob alone, fuse.ts makes one node
 * of it and the loss's own.
 */
export function likelihoodGradient(node: Node, upstream: Adjoints, outputs: Node["outputs"]): Node {
  const { knob, over } = weightOf(node, upstream, "reconstruction");
  return {
    op: `${node.op}_grad`,
    inputs: { ...node.inputs, ...(over ? { over } : {}) },
    outputs,
    attributes: node.attributes,
    knobs: { weight: knob },
  };
}

/** A draw y, as logits, of zeros and ones from logits. */
export function bernoulliSample(logits: Tensor): Node {
  const y = tensor("y", "activation", logits.shape);
  return { op: "bernoulli_sample", inputs: { logits }, outputs: { y }, attributes: {} };
}

const WORKGROUP_SIZE = 64;

/** A kernel of `shader`, whose parts are lib/logits.wgsl's. */
export function logitsKernel(shader: ShaderSource, node: Node, constants: Kernel["constants"] = {}): Kernel {
  const { op, inputs, attributes } = node;
  const { logits, over } = inputs;
  if (!logits) throw new Error(`${op}: logits are missing`);
  const [rows = 1] = logits.shape;
  const sizes = exampleSizes(logits);
  return {
    shader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, ...constants, ...copiesConstant(attributes), ...siteConstant(attributes) },
    shape: { rows, ...sizes, weight: 0, over_row: over ? stridesOf(over).over_row : 0 },
    workgroups: ceilDiv(rows * (op === "bernoulli_sample" ? sizes.pixels : sizes.segments), WORKGROUP_SIZE),
  };
}

const kernel = (node: Node) => logitsKernel(bernoulliShader, node, { KEEP_DLOGITS: node.outputs.dlogits ? 1 : 0 });

export const bernoulliOps: readonly Op[] = [
  { name: "bernoulli", optional: ["dlogits"], kernel, gradient },
  // Part of the term's own dispatch (fuse.ts), unless rows have weights of their own: bernoulli_grad.ts is for those.
  { name: "bernoulli_grad", kernel },
  { name: "bernoulli_sample", kernel },
];
