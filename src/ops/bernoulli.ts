// The Bernoulli reconstruction term from logits, with its gradient (shaders/bernoulli.wgsl).
import bernoulliShader from "../../shaders/bernoulli.wgsl";
import type { Node } from "../graph.js";
import { size, tensor, type Tensor } from "../tensor.js";
import { ceilDiv, siteConstant, type Kernel, type Op } from "./op.js";

/** Stored values of a row that one invocation sums: SEGMENT vec4 in the shaders of the reconstruction terms. */
export const SEGMENT_VALUES = 64;

/** A term's sums before the last one: a row per example, a value per segment of its pixels. */
export function reconstructionSums(x: Tensor): Tensor {
  const [batch = 1] = x.shape;
  const { segments } = exampleSizes(x);
  return { name: "reconstruction", role: "output", shape: [batch, segments], storage: [batch, segments] };
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

/** -log p(x|logits) in nats, [B, segments]; with `gradients` also the gradient with respect to the logits. */
export function bernoulli(logits: Tensor, x: Tensor, gradients: boolean): Node {
  const dlogits = gradients ? { dlogits: tensor("dlogits", "activation", logits.shape) } : {};
  return {
    op: "bernoulli",
    inputs: { logits, x },
    outputs: { reconstruction: reconstructionSums(x), ...dlogits },
    attributes: {},
  };
}

/** A draw y, as logits, of zeros and ones from logits. */
export function bernoulliSample(logits: Tensor): Node {
  const y = tensor("y", "activation", logits.shape);
  return { op: "bernoulli_sample", inputs: { logits }, outputs: { y }, attributes: {} };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const { logits } = inputs;
  if (!logits) throw new Error(`${op}: logits are missing`);
  const [rows = 1] = logits.shape;
  const sizes = exampleSizes(logits);
  return {
    shader: bernoulliShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, KEEP_DLOGITS: outputs.dlogits ? 1 : 0, ...siteConstant(attributes) },
    shape: { rows, ...sizes },
    workgroups: ceilDiv(rows * (op === "bernoulli" ? sizes.segments : sizes.pixels), WORKGROUP_SIZE),
  };
}

export const bernoulliOps: readonly Op[] = [
  {
    name: "bernoulli",
    kernel,
    gradient(node) {
      // The forward dispatch has made it: the term and its gradient share one pass over the logits.
      const { dlogits } = node.outputs;
      if (!dlogits) throw new Error("bernoulli: built without gradients");
      return { nodes: [], of: { logits: dlogits } };
    },
  },
  { name: "bernoulli_sample", kernel },
];
