// Convolution, transposed convolution and their gradients: two gathers and a product of weights between a large image
// and a small one (shaders/conv2d*.wgsl).
import direct from "../../shaders/conv2d.wgsl";
import subgroups from "../../shaders/conv2d.subgroups.wgsl";
import tiled from "../../shaders/conv2d.tiled.wgsl";
import products from "../../shaders/winograd.subgroups.wgsl";
import type { Node } from "../graph.js";
import type { ShaderSource } from "../shader_source.js";
import {
  activationCode,
  like,
  padTo4,
  size,
  slopeNeedsInput,
  tensor,
  type Activation,
  type Tensor,
} from "../tensor.js";
import {
  arriving,
  ceilDiv,
  partsOf,
  splitRows,
  wider,
  workgroupSizes,
  type Kernel,
  type Op,
  type Sizes,
  type Tiling,
} from "./op.js";
import { sumPairs } from "./sum.js";
import { winogradSizes } from "./winograd.js";

/**
 * How the pixels of the two images correspond: small pixel (i, j) and tap (u, v) meet large pixel
 * (i stride[0] + u - pad[0], j stride[1] + v - pad[1]).
 */
export interface Window {
  /** Down and across, at least 1. */
  readonly stride: readonly [number, number];
  /** Rows of zeros above and columns of zeros to the left of the large image. */
  readonly pad: readonly [number, number];
  /** Height and width of the result. */
  readonly size: readonly [number, number];
}

/** y = act(x * W + b): x [B, H, W, C], W [KH, KW, C, O], b [O] give y [B, ...size, O]. `name` is y's. */
export function conv2d(name: string, x: Tensor, W: Tensor, b: Tensor, window: Window, activation: Activation = "none") {
  return layer("conv2d", "large", name, x, W, b, window, activation, W.shape[3] ?? 1);
}

/**
 * The transpose of a convolution by W [KH, KW, O, C] (Dumoulin and Visin 2016, chapter 4): x [B, H, W, C], b [O] give
 * y [B, ...size, O].
 */
export function conv2dTranspose(
  name: string,
  x: Tensor,
  W: Tensor,
  b: Tensor,
  window: Window,
  activation: Activation = "none",
) {
  return layer("conv2d_transpose", "small", name, x, W, b, window, activation, W.shape[2] ?? 1);
}

function layer(
  op: string,
  key: "large" | "small",
  name: string,
  x: Tensor,
  W: Tensor,
  b: Tensor,
  { stride, pad, size: [height, width] }: Window,
  activation: Activation,
  channels: number,
): Node {
  const shape = [x.shape[0] ?? 1, height, width, channels];
  const pre = slopeNeedsInput(activation) ? tensor(`${name}.pre`, "activation", shape) : undefined;
  const made = activation === "none" ? {} : { activation, ...(pre ? { pre } : {}) };
  const result = tensor(name, "activation", shape, made);
  return {
    op,
    inputs: { [key]: x, W, b },
    outputs: { result, ...(pre ? { pre } : {}) },
    attributes: { activation, stride_y: stride[0], stride_x: stride[1], pad_y: pad[0], pad_x: pad[1] },
  };
}

interface Form {
  readonly shader: ShaderSource;
  readonly rows: number;
  readonly columns: number;
  readonly across: number;
}

/** How a schedule's workgroup covers a result: tiles of rows x vec4 columns, side by side in quads. */
const forms: Readonly<Record<Tiling, Form>> = {
  direct: { shader: direct, rows: 8, columns: 2, across: 1 },
  subgroups: { shader: subgroups, rows: 24, columns: 2, across: 4 },
  tiled: { shader: tiled, rows: 32, columns: 8, across: 1 },
};
/** The subgroups schedule's tile if there are enough columns. */
const wideForm = { ...forms.subgroups, columns: 4 };
/** The direct schedule's tile if the result has one vec4 of channels. */
const narrowForm = { ...forms.direct, rows: 16, columns: 1 };
/** The gradient rule of both directions: x is one of the images, dy the other. */
function gradientOf(op: "conv2d" | "conv2d_transpose"): NonNullable<Op["gradient"]> {
  const [own, other] = op === "conv2d" ? (["large", "small"] as const) : (["small", "large"] as const);
  return (node, upstream, wanted, sole) => {
    const { [own]: x, W, b } = node.inputs as Record<typeof own | "W" | "b", Tensor>;
    const dy = arriving(node, upstream, "result");
    const of = { W: like(W, `d${W.name}`, "gradient"), b: like(b, `d${b.name}`, "gradient") };
    const small = pixels(own === "small" ? x : dy);
    const { parts } = splitRows(small);
    const dW = parts > 1 ? partsOf(of.W, parts) : of.W;
    const db = parts > 1 ? partsOf(of.b, parts) : of.b;
    const images = { [own]: x, [other]: dy };
    const sums = parts > 1 ? [sumPairs(dW, of.W, db, of.b)] : [];
    const weight: Node = { op: `${op}_grad_weight`, inputs: images, outputs: { dW, db }, attributes: node.attributes };
    if (!wanted(own)) return { nodes: [weight, ...sums], of };
    const saved = x.pre ?? x;
    // dx overwrites the tensor that its slope is computed from, if nothing else needs it: dW is done by then. Only for
    // the result of an activation, which its producer does not read again, as max pooling would.
    const in_place = x.activation !== undefined && !!sole?.(x) && !!sole?.(saved);
    const result = in_place ? like(saved, saved.name, "activation") : tensor(`d${x.name}`, "activation", x.shape);
    const input: Node = {
      op: `${op}_grad_input`,
      inputs: { [other]: dy, W, ...(in_place ? {} : { saved }) },
      outputs: { result },
      attributes: { ...node.attributes, activation: x.activation ?? "none", in_place },
    };
    return { nodes: [weight, ...sums, input], of: { ...of, [own]: result } };
  };
}

/** Number of pixels in all images of a batch. */
const pixels = ({ shape }: Tensor) => size(shape.slice(0, 3));

/** Both images and W: a node reads two of them and makes the third. */
function readNode({ op, inputs, outputs }: Node) {
  const large = inputs.large ?? outputs.result;
  const small = inputs.small ?? outputs.result;
  const W = inputs.W ?? outputs.dW;
  if (!large || !small || !W) throw new Error(`${op}: x or y is missing`);
  return { large, small, W };
}

/** Each small pixel meets each value of W once. */
function work(node: Node): number {
  const { small, W } = readNode(node);
  return pixels(small) * size(W.shape.slice(-4));
}

function sizes(node: Node): Sizes {
  const { large, small, W } = readNode(node);
  const { stride_y, stride_x } = node.attributes;
  const [across, kernel] = [(node.outputs.result ?? small).storage[3] ?? 4, W.storage.slice(-4, -2)];
  return {
    text: `${large.shape.join("x")} ${small.shape.join("x")} ${kernel.join("x")} ${stride_y}x${stride_x}`,
    columns: [across],
    winograd: winogradSizes(node),
  };
}

function kernel(node: Node, schedule: Tiling): Kernel {
  const form = forms[schedule];
  const { shader } = form;
  const { op, outputs, attributes } = node;
  const transposed = op.startsWith("conv2d_transpose");
  const forward = op === "conv2d" || op === "conv2d_transpose";
  // The result is the image that the node does not read; a weight gradient reads both and makes neither.
  const { result } = outputs;
  const lanes = workgroupSizes[schedule];
  const perWorkgroup = schedule === "tiled" ? 1 : lanes;
  const inPlace = attributes.in_place === true;
  const up = op === "conv2d_transpose" || op === "conv2d_grad_input";
  const { large, small, W } = readNode(node);
  const [batch = 1, large_h = 1, large_w = 1] = large.shape;
  const [, small_h = 1, small_w = 1] = small.shape;
  const [kernel_h = 1, kernel_w = 1] = W.shape.slice(-4);
  const stride_y = Number(attributes.stride_y);
  const stride_x = Number(attributes.stride_x);
  const large_c = (large.storage[3] ?? 4) / 4;
  const small_c = (small.storage[3] ?? 4) / 4;
  const { parts, part_rows } = splitRows(pixels(small));
  const groups = ({ rows, columns, across }: Form, down: number, over: number, times = 1) =>
    ceilDiv(times * ceilDiv(down, rows) * ceilDiv(over, columns * across) * across, perWorkgroup);
  const columns = up ? large_c : small_c;
  const narrow = schedule === "direct" && !!result && columns === 1;
  const wide = schedule === "subgroups" && wider(columns);
  const tile = narrow ? narrowForm : wide ? wideForm : form;
  const phasePixels = batch * ceilDiv(large_h, stride_y) * ceilDiv(large_w, stride_x);
  const phase_groups = groups(tile, phasePixels, large_c);
  const resultGroups = up ? stride_y * stride_x * phase_groups : groups(tile, pixels(small), small_c);
  // The subgroups schedule packs the taps of a single channel as densely as channels.
  const grey = schedule === "subgroups" && large.shape[3] === 1;
  const weight_groups = groups(
    { ...tile, rows: grey ? 12 : form.rows },
    kernel_h * kernel_w * (grey ? 1 : 4 * large_c),
    small_c,
    parts,
  );
  const biased = transposed ? large : small;
  const biasGroups = ceilDiv(parts * (transposed ? large_c : small_c), lanes);
  return {
    shader,
    // An input gradient is the other direction's product, so that a few pipelines serve all layers. Compiling them is
    // much of the time to the first step.
    entryPoint: up ? "conv2d_transpose" : result ? "conv2d" : "conv2d_grad_weight",
    constants: {
      ...(result ? { ACTIVATION: activationCode((attributes.activation ?? "none") as Activation) } : {}),
      ...(result ? { KEEP_PRE: outputs.pre ? 1 : 0 } : {}),
      WORKGROUP_SIZE: lanes,
      ...(schedule === "subgroups" ? { SINGLE: grey ? 1 : 0, WIDE: wide ? 1 : 0 } : {}),
      ...(result && schedule === "direct" ? { NARROW: narrow ? 1 : 0, SINGLE: result.shape[3] === 1 ? 1 : 0 } : {}),
    },
    shape: {
      batch,
      large_h,
      large_w,
      large_c,
      small_h,
      small_w,
      small_c,
      kernel_h,
      kernel_w,
      stride_y,
      stride_x,
      pad_y: Number(attributes.pad_y),
      pad_x: Number(attributes.pad_x),
      result_count: result?.shape[3] ?? 0,
      part_rows,
      bias_rows: padTo4(ceilDiv(pixels(biased), parts)),
      parts,
      phase_groups,
      weight_groups,
      bias_of_large: transposed ? 1 : 0,
      gradient: forward ? 0 : 1,
      in_place: inPlace ? 1 : 0,
    },
    workgroups: result ? resultGroups : weight_groups + biasGroups,
    // In place, nothing else is needed, and what is bound instead is not read.
    ...(result ? { names: { aside: forward ? "b" : inPlace ? "W" : "saved" } } : {}),
  };
}

const common = { schedules: { direct, subgroups, tiled, winograd: products }, work, sizes, kernel } as const;

export const conv2dOps: readonly Op[] = [
  { name: "conv2d", ...common, gradient: gradientOf("conv2d") },
  { name: "conv2d_grad_input", ...common },
  { name: "conv2d_grad_weight", ...common },
  { name: "conv2d_transpose", ...common, gradient: gradientOf("conv2d_transpose") },
  { name: "conv2d_transpose_grad_input", ...common },
  { name: "conv2d_transpose_grad_weight", ...common },
];
