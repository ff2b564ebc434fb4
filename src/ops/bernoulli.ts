// The Bernoulli reconstruction term from logits, with its gradient (shaders/bernoulli.wgsl).
import bernoulliShader from "../../shaders/bernoulli.wgsl";
import type { Node } from "../graph.js";
import { tensor, type Tensor } from "../tensor.js";
import { ceilDiv, type Kernel, type Op } from "./op.js";

/** Values of a row that one invocation sums: SEGMENT vec4 in the shaders of the reconstruction terms. */
export const SEGMENT_VALUES = 64;

/** A term's sums before the last one: a row per example, a value per segment of its pixels. */
export function reconstructionSums(x: Tensor): Tensor {
  const [batch = 1, values = 1] = x.shape;
  const segments = ceilDiv(values, SEGMENT_VALUES);
  return { name: "reconstruction", role: "output", shape: [batch, segments], storage: [batch, segments] };
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

/** A draw y [B, D] of zeros and ones from logits [B, D]. */
export function bernoulliSample(logits: Tensor): Node {
  const y = tensor("y", "activation", logits.shape);
  return { op: "bernoulli_sample", inputs: { logits }, outputs: { y }, attributes: {} };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs }: Node): Kernel {
  const { logits } = inputs;
  const [rows = 1, pixelCount = 1] = logits?.shape ?? [];
  const pixels = (logits?.storage[1] ?? 4) / 4;
  const segments = ceilDiv(pixelCount, SEGMENT_VALUES);
  return {
    shader: bernoulliShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, KEEP_DLOGITS: outputs.dlogits ? 1 : 0 },
    shape: { rows, pixels, pixel_count: pixelCount, segments },
    workgroups: ceilDiv(rows * (op === "bernoulli" ? segments : pixels), WORKGROUP_SIZE),
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
