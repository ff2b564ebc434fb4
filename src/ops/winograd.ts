// Convolutions whose kernel is twice their stride by Winograd's minimal filtering, F(2x2, 2x2): nine products for every
// sixteen (shaders/winograd.wgsl). What conv2d's ops do in one dispatch is here transforms, nine matrix products at
// once, and the way back. A transform serves all that use it: a layer's large image goes into y and dW, dy into dW and dx.
import transforms from "../../shaders/winograd.wgsl";
import products from "../../shaders/winograd.subgroups.wgsl";
import { free, type Attributes, type Node } from "../graph.js";
import { activationCode, size, type Activation, type Tensor } from "../tensor.js";
import { ceilDiv, splitRows, wider, workgroupSizes, type Fusion, type Kernel, type Op, type Sizes } from "./op.js";

const WORKGROUP_SIZE = 64;
/** Rows of a product's tile. */
const ROWS = 24;
/** Every adapter binds so many bytes. */
const MOST_BYTES = 2 ** 27;

/** Workgroups for so many invocations. */
const groupsOf = (invocations: number) => ceilDiv(invocations, WORKGROUP_SIZE);

/** A node of conv2d.ts as the shaders see it. It reads two of `large`, `small` and `W` and makes the third. */
function readNode({ inputs, outputs, attributes }: Node) {
  const { result, dW } = outputs;
  const large = (inputs.large ?? result)!;
  const small = (inputs.small ?? result)!;
  const W = (inputs.W ?? dW)!;
  const [batch, large_h, large_w, large_channels] = large.storage as [number, number, number, number];
  const [, small_h, small_w, smallChannels] = small.storage as [number, number, number, number];
  const [stride_y, stride_x, pad_y, pad_x] = ["stride_y", "stride_x", "pad_y", "pad_x"].map((key) =>
    Number(attributes[key]),
  ) as [number, number, number, number];
  const tiles_h = ceilDiv(small_h, 2);
  const tiles_w = ceilDiv(small_w, 2);
  const pairs_h = ceilDiv(ceilDiv(large_h, stride_y), 2);
  const geometry = {
    batch,
    large_h,
    large_w,
    large_c: large_channels / 4,
    small_h,
    small_w,
    small_c: smallChannels / 4,
    stride_y,
    stride_x,
    pad_y,
    pad_x,
    tiles_h,
    tiles_w,
    pairs_h,
  };
  // [parts, KH, KW, CL, CS] where dW is summed in parts.
  const [parts = 1] = dW?.shape.slice(0, -4) ?? [];
  // Channels of all phases of the large image.
  const channels = stride_y * stride_x * large_channels;
  return { large, small, W, geometry, parts, channels, smallChannels, tiles: batch * tiles_h * tiles_w };
}

/**
 * Rows of the products, and the channels of both images that they have, where a node can be computed so on any adapter
 * that has subgroups.
 */
export function winogradSizes(node: Node): Sizes["winograd"] {
  if (!node.op.startsWith("conv2d")) return undefined;
  const { W, geometry, parts, channels, smallChannels: small, tiles } = readNode(node);
  const { stride_y, stride_x } = geometry;
  const [kernel_h, kernel_w] = W.shape.slice(-4);
  if (kernel_h !== 2 * stride_y || kernel_w !== 2 * stride_x) return undefined;
  const bytes = 36 * Math.max(tiles * small, tiles * channels, parts * channels * small);
  return bytes <= MOST_BYTES ? { tiles, channels, small } : undefined;
}

/**
 * The rule of fuse.ts by which a node that has the schedule `winograd` becomes those that do the same. Throws where it
 * cannot: its sums would be others.
 */
export const winograd: Fusion = {
  name: "winograd",
  apply(node, graph, schedule) {
    if (schedule(node) !== "winograd") return undefined;
    if (!winogradSizes(node)) throw new Error(`${node.op}: its shapes cannot have the schedule winograd`);
    return { takes: [], nodes: winogradNodes(node, graph.nodes) };
  },
};

/** The nodes that do what `node` does, which is one of `all`. Forms that earlier ones have made are used again. */
function winogradNodes(node: Node, all: readonly Node[]): Node[] {
  const { large, small, W, geometry, parts, channels, smallChannels, tiles } = readNode(node);
  const { batch, tiles_h, pairs_h } = geometry;
  const { inputs, outputs, op } = node;
  const { result, dW } = outputs;
  const nodes: Node[] = [];
  /** A transform there or back. `own`: what only some entry points read of the uniform. */
  const transform = (
    kind: string,
    from: Node["inputs"],
    to: Node["outputs"],
    workgroups: number,
    own: Attributes = {},
  ) => {
    const unread = { result_count: 0, gradient: 0, in_place: 0, parts, sum_parts: 0, weight_groups: 0 };
    const bias = { bias_c: 0, bias_pixels: 0, bias_rows: 0 };
    const attributes = { ...geometry, ...unread, ...bias, workgroups, ...own };
    nodes.push({ op: `winograd_${kind}`, inputs: from, outputs: to, attributes });
  };
  const tensor = (name: string, ...shape: number[]): Tensor => ({ name, role: "activation", shape, storage: shape });
  const before = all.slice(0, all.indexOf(node));
  const names = new Set(before.flatMap(({ outputs }) => Object.values(outputs)).map(({ name }) => name));
  /** Winograd's form of an image or of W: made once, and again where what it is of has been written over. */
  const formOf = (kind: string, of: Tensor, invocations: number, ...shape: number[]): Tensor => {
    const writes = ({ outputs }: Node) => Object.values(outputs).some(({ name }) => name === of.name);
    // The same image may meet windows of several kinds.
    const known = before
      .slice(before.findLastIndex(writes) + 1)
      .find(
        ({ op, inputs, attributes }) =>
          op === `winograd_${kind}` &&
          Object.values(inputs)[0]?.name === of.name &&
          Object.entries(geometry).every(([key, value]) => attributes[key] === value),
      );
    if (known) return known.outputs.made!;
    const form = tensor(free(`${of.name}.${kind} ${Object.values(geometry).join(" ")}`, names), ...shape);
    transform(kind, { [of === W ? "W" : "image"]: of }, { made: form }, groupsOf(invocations));
    return form;
  };
  const largeForm = () => formOf("large", large, (batch * tiles_h * channels) / 4, tiles, 9, channels);
  const smallForm = () => formOf("small", small, (tiles * smallChannels) / 4, tiles, 9, smallChannels);
  const product = (kind: string, of: Node["inputs"], ...shape: number[]): Tensor => {
    const sums = tensor(`${(result ?? dW)!.name}.${op}`, ...shape);
    nodes.push({ op: `winograd_${kind}`, inputs: of, outputs: { sums }, attributes: {} });
    return sums;
  };
  if (dW) {
    const forms = { large: largeForm(), small: smallForm() };
    // Parts of dW sum so many pixels; here a row is four of them.
    const sum_parts = Math.min(parts, splitRows(tiles).parts);
    const sums = product("across", forms, sum_parts, 9, channels, smallChannels);
    const dy = op.startsWith("conv2d_transpose") ? large : small;
    const weight_groups = groupsOf((parts * channels * smallChannels) / 4);
    const bias_c = dy.storage[3]! / 4;
    const bias_pixels = size(dy.shape.slice(0, 3));
    transform("to_weight", { sums, image: dy }, outputs, weight_groups + groupsOf(parts * bias_c), {
      sum_parts,
      weight_groups,
      bias_c,
      bias_pixels,
      bias_rows: ceilDiv(bias_pixels, parts),
    });
    return nodes;
  }
  const down = result === small;
  const form = down ? largeForm() : smallForm();
  const weight = formOf("weight", W, (channels * smallChannels) / 4, 9, channels, smallChannels);
  const sums = down
    ? product("down", { large: form, W: weight }, tiles, 9, smallChannels)
    : product("up", { small: form, W: weight }, tiles, 9, channels);
  const { activation = "none", in_place } = node.attributes;
  // In place there is nothing aside; what is bound instead isn't read.
  transform(
    down ? "to_small" : "to_large",
    { sums, aside: inputs.b ?? inputs.saved ?? W },
    outputs,
    groupsOf((down ? tiles * smallChannels : batch * pairs_h * channels) / 4),
    { result_count: result!.shape[3]!, gradient: inputs.b ? 0 : 1, in_place: in_place ? 1 : 0, activation },
  );
  return nodes;
}

function transformKernel({ op, outputs, attributes }: Node): Kernel {
  const { activation, workgroups, ...shape } = attributes as Record<string, number>;
  const { result, pre } = outputs;
  const code = activationCode((activation ?? "none") as Activation);
  return {
    shader: transforms,
    entryPoint: op,
    constants: { WORKGROUP_SIZE, ...(result ? { ACTIVATION: code, KEEP_PRE: pre ? 1 : 0 } : {}) },
    shape,
    workgroups: workgroups!,
  };
}

function productKernel({ op, inputs, outputs }: Node): Kernel {
  const { large, small, W } = inputs;
  const { sums } = outputs;
  const lanes = workgroupSizes.subgroups;
  const rows = (large ?? small)!.shape[0]!;
  const [inputCount, outputCount] = (W ?? sums)!.shape.slice(-2) as [number, number];
  const parts = W ? 1 : sums!.shape[0]!;
  const up = op === "winograd_up";
  const columns = (up ? inputCount : outputCount) / 4;
  const down = W ? ceilDiv(rows, ROWS) : parts * ceilDiv(inputCount, ROWS);
  const own = columns < 5 ? 1 : wider(columns) ? 4 : 2;
  const groups = ceilDiv(down * ceilDiv(columns, 4 * own) * 4, lanes);
  return {
    shader: products,
    entryPoint: op,
    constants: { WORKGROUP_SIZE: lanes, COLUMNS: own, UP: up ? 1 : 0 },
    names: { left: up ? "small" : "large" },
    shape: {
      rows,
      inputs: inputCount / 4,
      outputs: outputCount / 4,
      groups,
      part_rows: 4 * ceilDiv(rows, 4 * parts),
      parts,
    },
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
