// Convolutions whose kernel is twice their stride by Winograd's minimal filtering, F(2x2, 2x2): nine products for every
// sixteen (shaders/winograd.wgsl). What conv2d's ops do in one dispatch is here transforms, nine matrix products at
// once, and the way back. A transform serves all that use it: a layer's large image goes into y and dW, dy into dW and dx.
import transforms from "../../shaders/winograd.wgsl";
import products from "../../shaders/winograd_product.wgsl";
import type { Attributes, Graph, Node } from "../graph.js";
import { activationCode, size, type Activation, type Tensor } from "../tensor.js";
import { ceilDiv, wider, type Kernel, type Op, type Schedule } from "./op.js";

const WORKGROUP_SIZE = 64;
const PRODUCT_WORKGROUP = 16;
/** Rows of a product's tile. */
const ROWS = 24;
/** Every adapter binds so many bytes, and runs so many workgroups. */
const MOST_BYTES = 2 ** 27;
const MOST_GROUPS = 2 ** 16 - 1;

/** The images and weights of a node of conv2d.ts: it reads two of the three and makes the other. */
function partsOf({ inputs, outputs }: Node) {
  const { result, dW } = outputs;
  return {
    large: (inputs.large ?? result)!,
    small: (inputs.small ?? result)!,
    W: (inputs.W ?? dW)!,
  };
}

/** What the shaders need to know of a node. */
function geometryOf(node: Node) {
  const { large, small, W } = partsOf(node);
  const [batch = 1, large_h = 1, large_w = 1, large_channels = 4] = large.storage;
  const [, small_h = 1, small_w = 1, small_channels = 4] = small.storage;
  const [kernel_h = 1, kernel_w = 1] = W.shape.slice(-4);
  const [stride_y, stride_x, pad_y, pad_x] = ["stride_y", "stride_x", "pad_y", "pad_x"].map((key) =>
    Number(node.attributes[key]),
  ) as [number, number, number, number];
  return {
    kernel: [kernel_h, kernel_w],
    shape: {
      batch,
      large_h,
      large_w,
      large_c: large_channels / 4,
      small_h,
      small_w,
      small_c: small_channels / 4,
      stride_y,
      stride_x,
      pad_y,
      pad_x,
      tiles_h: ceilDiv(small_h, 2),
      tiles_w: ceilDiv(small_w, 2),
      // Also those that no small pixel meets.
      pairs_h: ceilDiv(ceilDiv(large_h + pad_y, stride_y), 2),
      pairs_w: ceilDiv(ceilDiv(large_w + pad_x, stride_x), 2),
    },
  };
}

type Geometry = ReturnType<typeof geometryOf>["shape"];

const tilesOf = ({ batch, tiles_h, tiles_w }: Geometry) => batch * tiles_h * tiles_w;
/** Channels of all phases of the large image. */
const channelsOf = ({ stride_y, stride_x, large_c }: Geometry) => 4 * stride_y * stride_x * large_c;

/**
 * Rows of the products, and the channels of both images that they have, where a node can be computed so on any adapter
 * that has subgroups.
 */
export function winogradSizes(node: Node): { tiles: number; channels: number; small: number } | undefined {
  if (!node.op.startsWith("conv2d")) return undefined;
  const { kernel, shape } = geometryOf(node);
  if (kernel[0] !== 2 * shape.stride_y || kernel[1] !== 2 * shape.stride_x) return undefined;
  const [tiles, channels, small] = [tilesOf(shape), channelsOf(shape), 4 * shape.small_c];
  const parts = node.outputs.dW ? partCount(node.outputs.dW) : 1;
  const pairs = shape.batch * shape.pairs_h * shape.pairs_w;
  const most = Math.max(tiles * channels, tiles * small, parts * channels * small, pairs * channels);
  const fits = 4 * 9 * most <= MOST_BYTES && most / 4 / WORKGROUP_SIZE <= MOST_GROUPS;
  return fits ? { tiles, channels, small } : undefined;
}

const partCount = (dW: Tensor): number => (dW.name.endsWith(".parts") ? (dW.shape[0] ?? 1) : 1);

/** The graph with the nodes that do the same in the place of those that have the schedule `winograd`. */
export function withWinograd(graph: Graph, schedule: (node: Node) => Schedule | undefined): Graph {
  const made = new Map<string, Tensor>();
  const nodes = graph.nodes.flatMap((node) => {
    const some = schedule(node) === "winograd" ? winogradNodes(node, made) : [node];
    // What is written over is not what was transformed.
    const written = new Set(Object.values(node.outputs).map(({ name }) => name));
    for (const key of made.keys()) if (written.has(key.slice(0, key.lastIndexOf(".")))) made.delete(key);
    return some;
  });
  return { nodes };
}

/** The nodes that do what `node` does. `made` has the transforms that are there, by what they are of and how. */
export function winogradNodes(node: Node, made: Map<string, Tensor>): Node[] {
  const { large, small, W } = partsOf(node);
  const { shape } = geometryOf(node);
  const { inputs, outputs, op } = node;
  const nodes: Node[] = [];
  const tensor = (name: string, ...sizes: number[]): Tensor => ({
    name,
    role: "activation",
    shape: sizes,
    storage: sizes,
  });
  const [tiles, channels, smallChannels] = [tilesOf(shape), channelsOf(shape), 4 * shape.small_c];
  const transformed = (kind: string, of: Tensor, rows: number, columns: number): Tensor => {
    // The same image may meet windows of several kinds.
    const name = `${of.name}.${kind} ${Object.values(shape).join(" ")}`;
    const known = made.get(name);
    if (known) return known;
    const result = kind === "weight" ? tensor(name, 9, rows, columns) : tensor(name, rows, 9, columns);
    const input = kind === "weight" ? { W: of } : { image: of };
    nodes.push({ op: `winograd_${kind}`, inputs: input, outputs: { made: result }, attributes: shape });
    made.set(name, result);
    return result;
  };
  const product = (kind: string, of: Record<string, Tensor>, name: string, ...sizes: number[]): Tensor => {
    const sums = tensor(`${name}.${op}`, ...sizes);
    nodes.push({ op: `winograd_${kind}`, inputs: of, outputs: { sums }, attributes: {} });
    return sums;
  };
  const { result, dW, db } = outputs;
  if (dW && db) {
    const parts = partCount(dW);
    const hats = {
      large: transformed("large", large, tiles, channels),
      small: transformed("small", small, tiles, smallChannels),
    };
    const sums = product("across", hats, dW.name, parts, 9, channels, smallChannels);
    const dy = op.startsWith("conv2d_transpose") ? large : small;
    nodes.push({ op: "winograd_to_weight", inputs: { sums, image: dy }, outputs, attributes: { ...shape, parts } });
    return nodes;
  }
  if (!result) throw new Error(`${op}: no result and no gradient of weights`);
  const down = result === small;
  const hat = down ? transformed("large", large, tiles, channels) : transformed("small", small, tiles, smallChannels);
  const weight = transformed("weight", W, channels, smallChannels);
  const sums = product(
    down ? "down" : "up",
    { [down ? "large" : "small"]: hat, W: weight },
    result.name,
    tiles,
    9,
    down ? smallChannels : channels,
  );
  const { activation = "none", in_place = false } = node.attributes;
  const { b, saved } = inputs;
  const gradient = !b;
  // In place there is nothing aside; what is bound instead isn't read.
  const aside = b ?? saved ?? W;
  nodes.push({
    op: `winograd_to_${down ? "small" : "large"}`,
    inputs: { sums, aside },
    outputs,
    attributes: { ...shape, activation, gradient, in_place },
  });
  return nodes;
}

const geometry = (attributes: Attributes) => attributes as unknown as Geometry;

/** Members of winograd.wgsl's Shape that only some of its entry points read. */
const UNREAD = {
  result_count: 0,
  gradient: 0,
  in_place: 0,
  parts: 0,
  weight_groups: 0,
  bias_c: 0,
  bias_pixels: 0,
  bias_rows: 0,
};

function transformKernel(node: Node): Kernel {
  const { op, inputs, outputs } = node;
  const shape = geometry(node.attributes);
  const { result, made, dW, pre } = outputs;
  const attributes = node.attributes as Record<string, unknown>;
  const groups = (vectors: number) => ceilDiv(vectors, WORKGROUP_SIZE);
  const own: Partial<typeof UNREAD> = {};
  let workgroups: number;
  if (dW) {
    const parts = Number(attributes.parts);
    const dy = inputs.image!;
    own.parts = parts;
    own.weight_groups = groups(parts * channelsOf(shape) * shape.small_c);
    own.bias_c = (dy.storage[3] ?? 4) / 4;
    own.bias_pixels = size(dy.shape.slice(0, 3));
    own.bias_rows = ceilDiv(own.bias_pixels, parts);
    workgroups = own.weight_groups + groups(parts * own.bias_c);
  } else if (result) {
    own.result_count = result.shape[3] ?? 0;
    own.gradient = attributes.gradient ? 1 : 0;
    own.in_place = attributes.in_place ? 1 : 0;
    const rows = shape.batch * shape.pairs_h;
    workgroups = groups(op === "winograd_to_small" ? tilesOf(shape) * shape.small_c : (rows * channelsOf(shape)) / 4);
  } else if (op === "winograd_large") workgroups = groups((shape.batch * shape.tiles_h * channelsOf(shape)) / 4);
  else workgroups = groups(size(made!.shape) / 36);
  const geometryOnly = Object.fromEntries(
    Object.entries(shape).filter(([key]) => !["activation", "gradient", "in_place", "parts"].includes(key)),
  );
  return {
    shader: transforms,
    entryPoint: op,
    constants: {
      WORKGROUP_SIZE,
      ...(result
        ? { ACTIVATION: activationCode((attributes.activation ?? "none") as Activation), KEEP_PRE: pre ? 1 : 0 }
        : {}),
    },
    shape: { ...geometryOnly, ...UNREAD, ...own },
    workgroups,
  };
}

function productKernel({ op, inputs, outputs }: Node): Kernel {
  const { large, small } = inputs;
  const sums = outputs.sums!;
  const across = op === "winograd_across";
  const rows = (large ?? small)!.shape[0] ?? 1;
  const [inputCount, outputCount] = (across ? sums.shape.slice(2) : inputs.W!.shape.slice(1)) as [number, number];
  const parts = across ? (sums.shape[0] ?? 1) : 1;
  const part_rows = 4 * ceilDiv(ceilDiv(rows, parts), 4);
  const columns = (op === "winograd_up" ? inputCount : outputCount) / 4;
  const down = across ? parts * ceilDiv(inputCount, ROWS) : ceilDiv(rows, ROWS);
  const wide = wider(columns);
  const groups = ceilDiv(down * ceilDiv(columns, wide ? 16 : 8) * 4, PRODUCT_WORKGROUP);
  return {
    shader: products,
    entryPoint: op,
    constants: { WORKGROUP_SIZE: PRODUCT_WORKGROUP, WIDE: wide ? 1 : 0 },
    shape: { rows, inputs: inputCount / 4, outputs: outputCount / 4, groups, part_rows, parts },
    workgroups: 9 * groups,
  };
}

export const winogradOps: readonly Op[] = [
  ...["large", "small", "weight", "to_small", "to_large", "to_weight"].map((kind) => ({
    name: `winograd_${kind}`,
    kernel: transformKernel,
  })),
  ...["down", "up", "across"].map((kind) => ({ name: `winograd_${kind}`, kernel: productKernel })),
];
