// Interprets an array's examples as pictures or points in the plane; the page cannot show anything else.
import type { Dataset } from "webvae";
import { fromArray } from "webvae/datasets";
import { DataFault, type Loaded } from "./loaded.js";
import { LARGEST_SIDE } from "./pictures.js";

export interface Shaped {
  readonly kind: Loaded["kind"];
  readonly dataset: Dataset;
  readonly notes: string[];
}

/** Smallest side of a row that is read as a square picture: scikit-learn's digits have 8. */
const LEAST_SIDE = 8;
/** Bytes that never exceed this are more likely on another scale than dark. */
const DARK = 64;

/** Throws DataFault. */
export function asPicturesOrPoints(dataset: Dataset): Shaped {
  const { shape } = dataset;
  if (shape.length === 3) return pictures(dataset, []);
  if (shape[0] === 2) return points(dataset);
  const side = Math.round(Math.sqrt(shape[0]!));
  if (side ** 2 === shape[0] && side >= LEAST_SIDE) {
    const notes = [`Each row of ${shape[0]} values is treated as a picture of ${side} x ${side}.`];
    return pictures(reshaped(dataset, [side, side, 1]), notes);
  }
  throw new DataFault(
    "This page cannot show this data",
    `${dataset.name} has rows of ${shape[0]} values. This page can show only pictures and 2D points.`,
    ["In code, load it with fromNpy: a model of dense layers can train on rows of any length."],
  );
}

function pictures(dataset: Dataset, notes: string[]): Shaped {
  const { name, shape, values } = dataset;
  const [height, width, channels] = shape as [number, number, number];
  const refuse = (message: string, hint: string) =>
    new DataFault("This page cannot show these pictures", `${name} has ${message}.`, [hint]);
  if (channels !== 1 && channels !== 3) {
    // PyTorch's order.
    const first = height === 1 || height === 3;
    throw refuse(
      `pictures of ${shape.join("x")}, that is, ${channels} channels; only 1 or 3 are possible`,
      first
        ? "If the array is [n, channels, height, width], save a.transpose(0, 2, 3, 1)."
        : "Save only one channel, or three as red, green and blue.",
    );
  }
  if (Math.max(height, width) > LARGEST_SIDE) {
    throw refuse(
      `pictures of ${width} x ${height}; the limit here is ${LARGEST_SIDE} x ${LARGEST_SIDE}`,
      "Scale them down first, or choose them as PNG or JPEG files, which this page scales itself.",
    );
  }
  if (values instanceof Uint8Array) {
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    if (most < DARK) {
      notes.push(
        `The largest value is ${most} of 255, so the pictures are dark. Consider dividing the values by their maximum.`,
      );
    }
    return { kind: "images", dataset, notes };
  }
  // Feature rows may have any values, but pictures may not.
  const [least, most] = extremes(values);
  if (least < 0 || most > 1) {
    const [from, to] = [least, most].map((value) => Number(value.toPrecision(3)));
    throw refuse(
      `values from ${from} to ${to}; pictures need values from 0 to 1, or bytes`,
      'If they are whole numbers from 0 to 255, save a.astype("u1"); otherwise scale them to [0, 1].',
    );
  }
  return { kind: "images", dataset, notes };
}

/** Centred, and scaled equally on both axes, so that the usual learning rates suit any points. */
function points(dataset: Dataset): Shaped {
  const { values, count, name, labels } = dataset;
  const axes = [0, 1].map((axis) => {
    const mean = sum(count, (i) => values[2 * i + axis]!) / count;
    return { mean, variance: sum(count, (i) => (values[2 * i + axis]! - mean) ** 2) / count };
  });
  const deviation = Math.sqrt((axes[0]!.variance + axes[1]!.variance) / 2) || 1;
  const scaled = Float32Array.from(values, (value, i) => (value - axes[i % 2]!.mean) / deviation);
  const [x, y] = axes.map(({ mean }) => mean.toPrecision(3));
  return {
    kind: "points",
    dataset: fromArray(scaled, { shape: [2], name, ...(labels ? { labels } : {}) }),
    notes: [`The points are shifted by (${x}, ${y}) to centre them and divided by ${deviation.toPrecision(3)}.`],
  };
}

function reshaped({ values, name, labels }: Dataset, shape: number[]): Dataset {
  return fromArray(values, { shape, name, ...(labels ? { labels } : {}) });
}

function extremes(values: Float32Array): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}
