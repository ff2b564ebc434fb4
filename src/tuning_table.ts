// The schedule a product uses if nothing was measured, by the kind of adapter, the product's size and how well its
// results fill tiles.
import type { Node } from "./graph.js";
import { further } from "./ops/index.js";
import type { Schedule } from "./ops/op.js";
import { size, type Tensor } from "./tensor.js";

/**
 * The version of the kernels in stored measurements. Raise it whenever a product's schedule becomes faster or slower,
 * so that it is measured again.
 */
export const KERNELS = 5;

interface Entry {
  /** For large products whose results fill their tiles; all others use `direct`. */
  readonly schedule: Schedule;
  /** The minimum fraction of its tiles' columns that each result must fill. */
  readonly filled: number;
  /** The minimum number of multiply-adds. */
  readonly work: number;
}

const table: Readonly<Record<"software" | "hardware", Entry>> = {
  // Measured on SwiftShader with 70 products of the presets. Processor time with shared operands divided by time
  // without: 0.4 to 0.9 (median 0.7) for full tiles; 1.1 to 1.6 at 40 columns, 1.5 to 2.1 at 16, 2.2 at 4. Tiles in
  // workgroup memory take twice the time and a second to compile.
  software: { schedule: "subgroups", filled: 0.6, work: 0 },
  // Assumed, not measured: workgroup memory is fast, and a product with few tiles leaves most of a GPU idle.
  hardware: { schedule: "tiled", filled: 0.5, work: 2 ** 20 },
};

/**
 * The adapter that the software entry was measured on. On it, a product is not measured again if all its results fill
 * more than MOST of their tiles, or one of them less than LEAST, since there is no doubt which schedule is faster. This
 * brings the first step half a second sooner.
 */
const MEASURED_ON = /swiftshader/i;
const MOST = 0.85;
const LEAST = 0.5;

/** Columns of a tile in `subgroups` and `tiled`. */
const TILE = 32;

/** The columns of each matrix that a product makes. */
function columns({ inputs, outputs }: Node): number[] {
  const { y, dx, dW, result } = outputs;
  const over = (tensor: Tensor, from: number) => size(tensor.storage.slice(from));
  // A weight's columns are those of the result it produces: all of a linear layer's, or the small image's channels.
  const weight = inputs.dy ? over(inputs.dy, 1) : (dW?.storage.at(-1) ?? 0);
  return [
    ...[y, dx].flatMap((t) => (t ? [over(t, 1)] : [])),
    ...(result ? [over(result, 3)] : []),
    ...(dW ? [weight] : []),
  ];
}

/** The smallest fraction of its tiles' columns that any result of the product fills. */
function filling(node: Node): number {
  return Math.min(...columns(node).map((count) => count / (TILE * Math.ceil(count / TILE))));
}

/** Whether measuring on this adapter would only confirm the table. */
export function settled(adapterName: string, node: Node): boolean {
  const share = filling(node);
  return MEASURED_ON.test(adapterName) && (share >= MOST || share < LEAST || worthWinograd(node));
}

/**
 * Whether a convolution is certainly faster with Winograd: on SwiftShader, transforming a float of the large image
 * costs as much as 13 to 34 multiply-adds, and of the small one 7 to 24. That must be less than what each product
 * saves: 7/9 of its time, or 3 times it for a single vec4 of channels, where a direct product costs 2.4 times as much.
 */
function worthWinograd(node: Node): boolean {
  const sizes = further?.winogradSizes(node);
  if (!sizes) return false;
  const { tiles, channels, small } = sizes;
  const saved = columns(node)[0]! < 5 ? 2.8 : 0.75;
  return 34 / small + 24 / channels < saved && tiles >= 0.85 * 24 * Math.ceil(tiles / 24);
}

/** The schedule for a product of `work` multiply-adds, among those that can run. */
export function usualSchedule(software: boolean, runnable: readonly Schedule[], node: Node, work: number): Schedule {
  if (software && runnable.includes("winograd") && worthWinograd(node)) return "winograd";
  const { schedule, filled, work: least } = table[software ? "software" : "hardware"];
  return filling(node) >= filled && work >= least && runnable.includes(schedule) ? schedule : "direct";
}
