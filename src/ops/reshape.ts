// The same values in another shape, if padding makes that more than a change of name (shaders/reshape.wgsl).
import reshapeShader from "../../shaders/reshape.wgsl";
import type { Node } from "../graph.js";
import { activationCode, size, tensor, type Activation, type Tensor } from "../tensor.js";
import { arriving, ceilDiv, type Adjoints, type Gradients, type Kernel, type Op } from "./op.js";

/** y: x's values in order, in `shape`. `name` is y's. */
export function reshapeCopy(name: string, x: Tensor, shape: readonly number[]): Node {
  if (size(shape) !== size(x.shape)) throw new Error(`reshape: ${x.name} [${x.shape}] cannot become [${shape}]`);
  return { op: "reshape", inputs: { x }, outputs: { y: tensor(name, "activation", shape) }, attributes: {} };
}

function gradient(of: Node, upstream: Adjoints): Gradients {
  const { x } = of.inputs as Record<"x", Tensor>;
  const dy = arriving(of, upstream, "y");
  const dx = tensor(`d${x.name}`, "activation", x.shape);
  const attributes = { activation: x.activation ?? "none" };
  const node: Node = { op: "reshape_grad", inputs: { dy, saved: x.pre ?? x }, outputs: { dx }, attributes };
  return { nodes: [node], of: { x: dx } };
}

const WORKGROUP_SIZE = 64;

function kernel({ op, inputs, outputs, attributes }: Node): Kernel {
  const sizes = ({ shape = [], storage = [] }: Partial<Tensor> = {}) => ({
    length: size(storage) / 4,
    count: shape.at(-1) ?? 1,
    stride: storage.at(-1) ?? 4,
  });
  const x = sizes(inputs.x ?? outputs.dx);
  const y = sizes(outputs.y ?? inputs.dy);
  const activation = (attributes.activation ?? "none") as Activation;
  return {
    shader: reshapeShader,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, ...(op === "reshape_grad" ? { ACTIVATION: activationCode(activation) } : {}) },
    shape: {
      x_length: x.length,
      x_count: x.count,
      x_stride: x.stride,
      y_length: y.length,
      y_count: y.count,
      y_stride: y.stride,
    },
    workgroups: ceilDiv(op === "reshape" ? y.length : x.length, WORKGROUP_SIZE),
  };
}

export const reshapeOps: readonly Op[] = [
  { name: "reshape", kernel, gradient },
  { name: "reshape_grad", kernel },
];
