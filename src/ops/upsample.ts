// Enlarging an image by whole factors, and its gradient (shaders/upsample.wgsl).
import upsampleShader from "../../shaders/upsample.wgsl";
import type { Node } from "../graph.js";
import { activationCode, size, tensor, type Activation, type Tensor } from "../tensor.js";
import { arriving, ceilDiv, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";

/**
 * x [B, H, W, C] enlarged to y [B, fy H, fx W, C] by `factor` [fy, fx]. Bilinear: pixels are squares with their values
 * at the centres, and the outermost values extend to the image's edges. `name` is y's.
 */
export function upsample2d(
  name: string,
  x: Tensor,
  factor: readonly [number, number],
  mode: "nearest" | "bilinear",
): Node {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  return {
    op: `upsample_${mode}`,
    inputs: { x },
    outputs: { y: tensor(name, "activation", [batch, factor[0] * height, factor[1] * width, channels]) },
    attributes: { factor_y: factor[0], factor_x: factor[1] },
  };
}

function gradient(node: Node, upstream: Adjoints): Gradients {
  const { x } = node.inputs as Record<"x", Tensor>;
  const dy = arriving(node, upstream, "y");
  const dx = tensor(`d${x.name}`, "activation", x.shape);
  const attributes = { ...node.attributes, activation: x.activation ?? "none" };
  return {
    nodes: [{ op: `${node.op}_grad`, inputs: { dy, saved: x.pre ?? x }, outputs: { dx }, attributes }],
    of: { x: dx },
  };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const x = inputs.x ?? outputs.dx;
  if (!x) throw new Error(`${op}: x is missing`);
  const { activation = "none", ...factors } = attributes;
  const [images = 1, height = 1, width = 1, channels = 4] = x.storage;
  const cells = [images, height + 1, width + 1, channels];
  return {
    shader: upsampleShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, ACTIVATION: activationCode(activation as Activation) },
    shape: { images, height, width, channels: channels / 4, ...(factors as Record<string, number>) },
    workgroups: ceilDiv(size(op === "upsample_bilinear" ? cells : x.storage) / 4, WORKGROUP_SIZE),
  };
}

export const upsampleOps: readonly Op[] = [
  { name: "upsample_nearest", kernel, gradient },
  { name: "upsample_bilinear", kernel, gradient },
  { name: "upsample_nearest_grad", kernel },
  { name: "upsample_bilinear_grad", kernel },
];
