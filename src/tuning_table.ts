// The schedule a product uses if nothing was measured, by the kind of adapter, the product's size and how well its
// results fill tiles.
import type { Node } from "./graph.js";
import { sizesOf, workOf } from "./ops/index.js";
import type { Schedule, Sizes } from "./ops/op.js";

/**
 * The version of the kernels in stored measurements. Raise it whenever a product's schedule becomes faster or slower,
 * so that it is measured again.
 */
export const KERNELS = 6;

type Entry = readonly [
  /** For large products whose results fill their tiles; all others use `direct`. */
  schedule: Schedule,
  /** The minimum fraction of its tiles' columns that each result must fill. */
  filled: number,
  /** The minimum number of multiply-adds. */
  work: number,
];

/**
 * Measured on SwiftShader, 70 products of the presets. Processor time with shared operands over time without: 0.4 to 0.9
 * (in the middle 0.7) where tiles are full; 1.1 to 1.6 at 40 columns, 1.5 to 2.1 at 16, 2.2 at 4. Tiles of workgroup
 * memory take twice the time and a second to compile.
 */
const onProcessors: Entry = ["subgroups", 0.6, 0];
/** Assumed, not measured: workgroup memory is fast, and a product that has few tiles leaves most of a GPU idle. */
const onGpus: Entry = ["tiled", 0.5, 2 ** 20];

/**
 * The adapter that `onProcessors` was measured on. There a product is not measured again whose results all fill
 * more than MOST of their tiles or one of them less than LEAST: which schedule is faster is beyond doubt, and the first
 * step comes half a second sooner.
 */
const MEASURED_ON = /swiftshader/i;
const MOST = 0.85;
const LEAST = 0.5;

/** Columns of a tile in `subgroups` and `tiled`. */
const TILE = 32;

/** The smallest fraction of its tiles' columns that any result of the product fills. */
function filling({ columns }: Sizes): number {
  return Math.min(...columns.map((count) => count / (TILE * Math.ceil(count / TILE))));
}

/** Whether measuring on this adapter would only confirm the table. */
export function settled(adapterName: string, node: Node): boolean {
  const sizes = sizesOf(node);
  const share = filling(sizes);
  return MEASURED_ON.test(adapterName) && (share >= MOST || share < LEAST || worthWinograd(sizes));
}

/**
 * Whether a convolution is certainly faster with Winograd: on SwiftShader, transforming a float of the large image
 * costs as much as 13 to 34 multiply-adds, and of the small one 7 to 24. That must be less than what each product
 * saves: 7/9 of its time, or 3 times it for a single vec4 of channels, where a direct product costs 2.4 times as much.
 */
function worthWinograd({ columns, winograd }: Sizes): boolean {
  if (!winograd) return false;
  const { tiles, channels, small } = winograd;
  const saved = columns[0]! < 5 ? 2.8 : 0.75;
  return 34 / small + 24 / channels < saved && tiles >= 0.85 * 24 * Math.ceil(tiles / 24);
}

/** The schedule for a product, among those that can run. */
export function usualSchedule(software: boolean, runnable: readonly Schedule[], node: Node): Schedule {
  const sizes = sizesOf(node);
  if (software && runnable.includes("winograd") && worthWinograd(sizes)) return "winograd";
  const [schedule, filled, least] = software ? onProcessors : onGpus;
  return filling(sizes) >= filled && workOf(node) >= least && runnable.includes(schedule) ? schedule : "direct";
}
