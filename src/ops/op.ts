// What an Op is: how a node of it becomes one dispatch, and, where it can be differentiated, which nodes make its
// inputs' gradients.
import type { Graph, Node } from "../graph.js";
import { padTo4, type Tensor } from "../tensor.js";
import type { ShaderSource } from "../shader_source.js";

export const schedules = ["direct", "subgroups", "tiled", "winograd"] as const;
/**
 * How a product is computed: `direct` from storage to registers; `subgroups` likewise, with operands shared in the
 * subgroup; `tiled` through workgroup memory; `winograd` in another domain with fewer products, by several dispatches.
 * The best one differs by adapter: the tuner measures.
 */
export type Schedule = (typeof schedules)[number];
/** Those that are one dispatch. */
export type Tiling = Exclude<Schedule, "winograd">;

/** One dispatch of one entry point. Plain data but for `shader`, which has a name. */
export interface Kernel {
  readonly shader: ShaderSource;
  readonly entryPoint: string;
  /** Pipeline-overridable constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Members of the `shape` uniform. */
  readonly shape: Readonly<Record<string, number>>;
  readonly workgroups: number;
  /** WGSL variables that stand for a tensor which the node knows by another name. */
  readonly names?: Readonly<Record<string, string>>;
}

/**
 * How much a loss, the mean over its rows, counts in what is minimised: a knob's value, times that of a tensor,
 * [rows, parts]. Either size may be 1: then all rows, or all parts, have the same value.
 */
export interface Weight {
  readonly knob: string;
  readonly over?: Tensor;
}

/** The gradient with respect to a tensor: a tensor of its shape, or of a loss its weight. */
export type Adjoint = Tensor | Weight;
export type Adjoints = Readonly<Record<string, Adjoint>>;

export interface Gradients {
  /** Nodes that compute the gradients, in order. */
  readonly nodes: readonly Node[];
  /** The gradient of each input that was asked for, by the input's name in the node. */
  readonly of: Adjoints;
}

/** What the tuner and its table go by in a product. */
export interface Sizes {
  /** The same for nodes of an op that share a schedule. */
  readonly text: string;
  /** The columns of each matrix that it makes, with their padding. */
  readonly columns: readonly number[];
  /** Where it can be computed so in Winograd's domain: rows of the products there, and channels of both images. */
  readonly winograd?: { readonly tiles: number; readonly channels: number; readonly small: number } | undefined;
}

export interface Op {
  /** Name of the op, of its entry point and of its dispatch's label. */
  readonly name: string;
  /**
   * The schedules the tuner may choose from, each with its shader that needs the most device features. Absent if the op
   * has only one form.
   */
  readonly schedules?: Readonly<Partial<Record<Schedule, ShaderSource>>>;
  /** Of an op that has schedules: multiply-adds without padding. */
  work?(node: Node): number;
  /** Of an op that has schedules. */
  sizes?(node: Node): Sizes;
  /** Outputs that a node may lack: they are left out where nobody reads them. */
  readonly optional?: readonly string[];
  kernel(node: Node, schedule: Tiling): Kernel;
  /**
   * Nodes for the gradient of what is minimised. `upstream` holds the gradients of the node's outputs by the outputs'
   * names, of those that are losses their weights; `wanted` says which inputs need one. A gradient of a tensor that an activation made
   * is taken before that activation: the op multiplies by the slope. `sole` says of a tensor that this node and its
   * gradient are the last to read it: the gradient may be written over it.
   */
  gradient?(
    node: Node,
    upstream: Adjoints,
    wanted: (input: string) => boolean,
    sole?: (tensor: Tensor) => boolean,
  ): Gradients;
}

/** A rule of fuse.ts: nodes that stand so become others before a graph is planned. */
export interface Fusion {
  readonly name: string;
  /**
   * What stands in the place of `node` and of those that it takes with it; undefined where the rule doesn't fit.
   * `schedule` is how each product is computed.
   */
  apply(
    node: Node,
    graph: Graph,
    schedule: (node: Node) => Schedule,
  ): { readonly takes: readonly Node[]; readonly nodes: readonly Node[] } | undefined;
}

export const isWeight = (adjoint: Adjoint): adjoint is Weight => "knob" in adjoint;

/** The gradient that arrives at an output. Throws where none does. */
export function arriving({ op }: Node, upstream: Adjoints, output: string): Tensor {
  const found = upstream[output];
  if (!found || isWeight(found)) throw new Error(`${op}: no gradient arrives at ${output}`);
  return found;
}

/** The weight of an output that is a loss. */
export function weightOf({ op }: Node, upstream: Adjoints, output: string): Weight {
  const found = upstream[output];
  if (!found || !isWeight(found)) throw new Error(`${op}: ${output} has no weight`);
  return found;
}

/** How far apart the values of a weight's tensor lie in memory, for a kernel that reads it by row and part. */
export function stridesOf({ shape: [rows = 1, parts = 1], storage }: Tensor) {
  return { over_row: rows > 1 ? storage[1]! : 0, over_part: parts > 1 ? 1 : 0 };
}

/**
 * The same node with random numbers of its own: of nodes that draw from one stream, each has another site, a whole number
 * below 2^24. A node without one is at site 0.
 */
export function atSite(node: Node, site: number): Node {
  if (!Number.isInteger(site) || site < 0 || site >= 2 ** 24) throw new Error(`${node.op}: no site ${site}`);
  return { ...node, attributes: { ...node.attributes, site } };
}

/** What tells a kernel that draws where it is (shaders/lib/random.wgsl). */
export function siteConstant({ site }: Node["attributes"]): { SITE?: number } {
  return site ? { SITE: Number(site) } : {};
}

/** What tells a kernel how many draws of an example lie side by side. */
export function copiesConstant({ copies }: Node["attributes"]): { COPIES?: number } {
  return copies ? { COPIES: Number(copies) } : {};
}

/** The attribute of a node whose `drawn` has a row for each draw of the examples in `given`. */
export function copiesOf(drawn: Tensor, given: Tensor): { copies?: number } {
  const copies = drawn.shape[0]! / given.shape[0]!;
  return copies > 1 ? { copies } : {};
}

/** A gradient that is summed in parts: [parts, ...its shape]. */
export function partsOf(gradient: Tensor, parts: number): Tensor {
  return {
    name: `${gradient.name}.parts`,
    role: "activation",
    shape: [parts, ...gradient.shape],
    storage: [parts, ...gradient.storage],
  };
}

/** A part of a weight gradient sums at most this many rows; more parts keep a GPU with many cores busy. */
const LONGEST_PART = 512;

/** Splits a reduction over `rows` into parts of equal length, a multiple of the 4 rows of a block. */
export function splitRows(rows: number): { parts: number; part_rows: number } {
  const part_rows = padTo4(ceilDiv(rows, ceilDiv(rows, LONGEST_PART)));
  return { parts: ceilDiv(rows, part_rows), part_rows };
}

/**
 * Invocations of a workgroup. Each makes a tile, except in `tiled`, where all make one together. `subgroups` has only
 * one quad, which shares its operands, so that even few tiles keep every core busy: a step of the conv preset took 213
 * ms with 16 and 205 with 4 (SwiftShader, two cores).
 */
export const workgroupSizes: Readonly<Record<Tiling, number>> = { direct: 16, subgroups: 4, tiled: 64 };

/**
 * Whether tiles of 16 columns a lane, 16 vec4 a quad, suit a result of so many vec4 better than tiles of half of it. A
 * product in the wide tile takes 0.8 of the time on SwiftShader, so it may be somewhat larger than the result.
 */
export function wider(columns: number): boolean {
  return 16 * ceilDiv(columns, 16) <= 1.15 * 8 * ceilDiv(columns, 8);
}

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}
