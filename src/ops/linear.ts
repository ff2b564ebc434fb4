// y = act(x W + b) and its gradients: three products, in three schedules (shaders/linear*.wgsl).
import direct from "../../shaders/linear.wgsl";
import subgroups from "../../shaders/linear.subgroups.wgsl";
import tiled from "../../shaders/linear.tiled.wgsl";
import type { Node } from "../graph.js";
import { activationCode, like, size, slopeNeedsInput, tensor, type Activation, type Tensor } from "../tensor.js";
import {
  arriving,
  ceilDiv,
  partsOf,
  splitRows,
  workgroupSizes,
  type Adjoints,
  type Gradients,
  type Kernel,
  type Op,
  type Sizes,
  type Tiling,
} from "./op.js";
import { sumPairs } from "./sum.js";

/** How a schedule's workgroup covers the result: tiles of rows x vec4 columns, `across` of them side by side. */
const forms = {
  direct: { shader: direct, rows: 8, columns: 2, across: 1 },
  subgroups: { shader: subgroups, rows: 16, across: 4 },
  tiled: { shader: tiled, rows: 32, columns: 8, across: 1 },
} as const;

/** y = act(x W + b): x [B, I...], W [I..., O...], b [O...] give y [B, O...]. `name` is y's. */
export function linear(name: string, x: Tensor, W: Tensor, b: Tensor, activation: Activation = "none"): Node {
  const shape = [x.shape[0] ?? 1, ...W.shape.slice(x.shape.length - 1)];
  const pre = slopeNeedsInput(activation) ? tensor(`${name}.pre`, "activation", shape) : undefined;
  const y = tensor(name, "activation", shape, activation === "none" ? {} : { activation, ...(pre ? { pre } : {}) });
  return { op: "linear", inputs: { x, W, b }, outputs: { y, ...(pre ? { pre } : {}) }, attributes: { activation } };
}

/**
 * From this many multiply-adds each, dx and dW are two dispatches: another dispatch costs little in comparison, and the
 * pipeline that computes both takes longer to compile than the two together.
 */
const APART = 2 ** 19;

function linearGradient(node: Node, upstream: Adjoints, wanted: (input: string) => boolean) {
  const { x, W, b } = node.inputs as { x: Tensor; W: Tensor; b: Tensor };
  const dy = arriving(node, upstream, "y");
  const nodes: Node[] = [];
  const of: Record<string, Tensor> = {};
  const { parts } = splitRows(x.shape[0] ?? 1);
  const dx = wanted("x") ? tensor(`d${x.name}`, "activation", x.shape) : undefined;
  const weights: Record<string, Tensor> = {};
  if (wanted("W")) {
    of.W = like(W, `d${W.name}`, "gradient");
    of.b = like(b, `d${b.name}`, "gradient");
    weights.dW = parts > 1 ? partsOf(of.W, parts) : of.W;
    weights.db = parts > 1 ? partsOf(of.b, parts) : of.b;
  }
  const activation = x.activation ?? "none";
  const saved = x.pre ?? x;
  if (dx) of.x = dx;
  const apart = (x.shape[0] ?? 1) * size(W.shape) >= APART;
  if (dx && weights.dW && !apart) {
    nodes.push({
      op: "linear_grad",
      inputs: { x, W, dy, saved },
      outputs: { dx, ...weights },
      attributes: { activation },
    });
  } else {
    if (dx)
      nodes.push({ op: "linear_grad_input", inputs: { W, dy, saved }, outputs: { dx }, attributes: { activation } });
    if (weights.dW) nodes.push({ op: "linear_grad_weight", inputs: { x, dy }, outputs: weights, attributes: {} });
  }
  if (parts > 1 && weights.dW && weights.db && of.W && of.b) {
    nodes.push(sumPairs(weights.dW, of.W, weights.db, of.b));
  }
  return { nodes, of } satisfies Gradients;
}

/**
 * Cost per column in the tiles of `subgroups`, by the tile's vec4 columns: processor time on SwiftShader, for 416, 448
 * and 400 columns of 784 products at batch 128, interleaved in one process, plus 3% for the longer compilation of the
 * widest.
 */
const columnCosts: Readonly<Record<number, number>> = { 2: 1.15, 4: 1, 5: 0.98 };

/**
 * With more multiply-adds than this, a product takes the tile with the lowest cost. Smaller ones would gain less than a
 * pipeline of their own takes to compile; those of more than 32 columns share the large ones' pipeline.
 */
const OWN_TILE = 2 ** 24;

/** The vec4 columns of a tile for results with this many columns, of `work` multiply-adds each. */
function tileColumns(results: readonly number[], work: number): number {
  if (work <= OWN_TILE) return results.some((count) => count > 32) ? 5 : 2;
  const cost = (own: number) =>
    results.reduce((sum, count) => sum + (columnCosts[own]! * own * ceilDiv(count, 16 * own)) / count, 0);
  return [2, 4, 5].reduce((best, own) => (cost(own) < cost(best) ? own : best));
}

/** A product's sizes, from whichever tensors it has, and the columns of each matrix that it makes. */
function readNode({ op, inputs, outputs }: Node) {
  const x = inputs.x ?? outputs.dx;
  const y = outputs.y ?? inputs.dy;
  if (!x || !y) throw new Error(`${op}: x or y is missing`);
  const batch = x.shape[0] ?? 1;
  const inputCount = size(x.storage.slice(1));
  const outputCount = size(y.storage.slice(1));
  const made = [...(outputs.dx ? [inputCount] : []), ...(outputs.y || outputs.dW ? [outputCount] : [])];
  return { x, y, batch, inputCount, outputCount, made };
}

function work(node: Node): number {
  const { x, y, batch, made } = readNode(node);
  return (made.length * size(x.shape) * size(y.shape)) / batch;
}

function sizes(node: Node): Sizes {
  const { batch, inputCount, outputCount, made } = readNode(node);
  return { text: `${batch}x${inputCount}x${outputCount}`, columns: made };
}

function kernel(node: Node, schedule: Tiling): Kernel {
  const { outputs, attributes, op } = node;
  const { shader, rows, across } = forms[schedule];
  const lanes = workgroupSizes[schedule];
  const perWorkgroup = schedule === "tiled" ? 1 : lanes;
  const { y, batch, inputCount, outputCount, made } = readNode(node);
  const { parts, part_rows } = splitRows(batch);
  const columns =
    schedule === "subgroups" ? tileColumns(made, batch * inputCount * outputCount) : forms[schedule].columns;
  const tiles = (down: number, over: number, times = 1) =>
    ceilDiv(times * ceilDiv(down, rows) * ceilDiv(over / 4, columns * across) * across, perWorkgroup);
  const inputGroups = tiles(batch, inputCount);
  const weightGroups = tiles(inputCount, outputCount, parts);
  const biasGroups = ceilDiv((parts * outputCount) / 4, lanes);
  const activation = (attributes.activation ?? "none") as Activation;
  return {
    shader,
    entryPoint: op,
    constants: {
      ACTIVATION: activationCode(activation),
      ...(op === "linear" ? { KEEP_PRE: outputs.pre ? 1 : 0 } : {}),
      WORKGROUP_SIZE: lanes,
      ...(schedule === "subgroups" ? { COLUMNS: columns } : {}),
    },
    shape: {
      rows: batch,
      inputs: inputCount / 4,
      outputs: outputCount / 4,
      inner: (y.storage.at(-1) ?? 4) / 4,
      inner_count: y.shape.at(-1) ?? 1,
      part_rows,
      input_groups: inputGroups,
      weight_groups: weightGroups,
    },
    workgroups: outputs.y
      ? tiles(batch, outputCount)
      : (outputs.dx ? inputGroups : 0) + (outputs.dW ? weightGroups + biasGroups : 0),
  };
}

const common = { schedules: { direct, subgroups, tiled }, work, sizes, kernel } as const;

export const linearOps: readonly Op[] = [
  { name: "linear", ...common, gradient: linearGradient },
  { name: "linear_grad_input", ...common },
  { name: "linear_grad_weight", ...common },
  { name: "linear_grad", ...common },
];
