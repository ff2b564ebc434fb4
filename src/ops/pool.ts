// The largest value or the mean of each window in an image, and the gradients of both (shaders/pool.wgsl).
import poolShader from "../../shaders/pool.wgsl";
import type { Node } from "../graph.js";
import { activationCode, size, tensor, type Activation, type Tensor } from "../tensor.js";
import { arriving, ceilDiv, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";

/** Window (i, j) covers the pixels of the image from (i stride[0] - pad[0], j stride[1] - pad[1]). */
export interface Pooling {
  /** Height and width, like all pairs here. */
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  /** How far above and to the left of the image the first window begins. */
  readonly pad: readonly [number, number];
  /** Number of windows, which is the size of the result. */
  readonly size: readonly [number, number];
}

/** y [B, ...size, C], the largest value of x [B, H, W, C] in each window. `name` is y's. */
export function maxPool2d(name: string, x: Tensor, pooling: Pooling): Node {
  return pool("max_pool", name, x, pooling);
}

/** y [B, ...size, C], the mean of x [B, H, W, C] in each window, over the pixels inside the image. */
export function avgPool2d(name: string, x: Tensor, pooling: Pooling): Node {
  return pool("avg_pool", name, x, pooling);
}

function pool(op: string, name: string, x: Tensor, { window, stride, pad, size: count }: Pooling): Node {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  [height, width].forEach((pixels, axis) => {
    const last = (count[axis]! - 1) * stride[axis]! - pad[axis]!;
    // It would have neither a maximum nor a mean.
    if (pad[axis]! >= window[axis]! || last >= pixels) throw new Error(`${name}: a window lies outside of ${x.name}`);
  });
  return {
    op,
    inputs: { x },
    outputs: { y: tensor(name, "activation", [batch, ...count, channels]) },
    attributes: {
      window_y: window[0],
      window_x: window[1],
      stride_y: stride[0],
      stride_x: stride[1],
      pad_y: pad[0],
      pad_x: pad[1],
    },
  };
}

function gradient(node: Node, upstream: Adjoints): Gradients {
  const { x, y } = { ...node.inputs, ...node.outputs } as Record<"x" | "y", Tensor>;
  const dy = arriving(node, upstream, "y");
  const dx = tensor(`d${x.name}`, "activation", x.shape);
  const inputs = { ...(node.op === "max_pool" ? { x, y } : {}), dy, saved: x.pre ?? x };
  const attributes = { ...node.attributes, activation: x.activation ?? "none" };
  return { nodes: [{ op: `${node.op}_grad`, inputs, outputs: { dx }, attributes }], of: { x: dx } };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const x = inputs.x ?? outputs.dx;
  const y = inputs.dy ?? outputs.y;
  if (!x || !y) throw new Error(`${op}: x or y is missing`);
  const { activation = "none", ...geometry } = attributes;
  const [images = 1, height = 1, width = 1, channels = 4] = x.storage;
  const [, rows = 1, columns = 1] = y.storage;
  return {
    shader: poolShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, ACTIVATION: activationCode(activation as Activation) },
    shape: {
      images,
      height,
      width,
      rows,
      columns,
      channels: channels / 4,
      ...(geometry as Record<string, number>),
    },
    workgroups: ceilDiv(size((outputs.dx ?? y).storage) / 4, WORKGROUP_SIZE),
  };
}

export const poolOps: readonly Op[] = [
  { name: "max_pool", kernel, gradient },
  { name: "avg_pool", kernel, gradient },
  { name: "max_pool_grad", kernel },
  { name: "avg_pool_grad", kernel },
];
