// What an array's examples are to this page: pictures or points in the plane, for it can show nothing else.
import type { Dataset } from "webvae";
import { fromArray } from "webvae/datasets";
import { DataFault, type Loaded } from "./loaded.js";
import { LARGEST_SIDE } from "./pictures.js";

export interface Shaped {
  readonly kind: Loaded["kind"];
  readonly dataset: Dataset;
  readonly notes: string[];
}

/** Of a row that is taken as a square picture: scikit-learn's digits have 8. */
const LEAST_SIDE = 8;
/** Bytes that reach no higher are rather of another scale than dark. */
const DARK = 64;

/** Throws DataFault. */
export function asPicturesOrPoints(dataset: Dataset): Shaped {
  const { shape } = dataset;
  if (shape.length === 3) return pictures(dataset, []);
  if (shape[0] === 2) return points(dataset);
  const side = Math.round(Math.sqrt(shape[0]!));
  if (side ** 2 === shape[0] && side >= LEAST_SIDE) {
    const notes = [`Each row of ${shape[0]} values is taken as a picture of ${side} x ${side}.`];
    return pictures(reshaped(dataset, [side, side, 1]), notes);
  }
  throw new DataFault(
    "This page cannot show these data",
    `${dataset.name} has rows of ${shape[0]} values. This page shows pictures, and points of two values.`,
    ["In code, fromNpy takes them: a model of dense layers trains on rows of any length."],
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
      `pictures of ${shape.join("x")}, that is ${channels} channels; there can be 1 or 3`,
      first
        ? "If it is [n, channels, height, width], save a.transpose(0, 2, 3, 1)."
        : "Save one channel of it, or three as red, green and blue.",
    );
  }
  if (Math.max(height, width) > LARGEST_SIDE) {
    throw refuse(
      `pictures of ${width} x ${height}; at most ${LARGEST_SIDE} x ${LARGEST_SIDE} are trained on here`,
      "Scale them down first, or choose them as PNG or JPEG files, which this page scales itself.",
    );
  }
  if (values instanceof Uint8Array) {
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    if (most < DARK) {
      notes.push(`Its values reach ${most} of 255, so the pictures are dark. Divide them by their maximum, perhaps.`);
    }
    return { kind: "images", dataset, notes };
  }
  // Rows of features may have any values; as pictures they may not.
  const [least, most] = extremes(values);
  if (least < 0 || most > 1) {
    const [from, to] = [least, most].map((value) => Number(value.toPrecision(3)));
    throw refuse(
      `values from ${from} to ${to}; those of pictures lie from 0 to 1, or are bytes`,
      'If they are whole numbers from 0 to 255, save a.astype("u1"); else scale them to [0, 1].',
    );
  }
  return { kind: "images", dataset, notes };
}

/** Moved and scaled alike on both axes, so that a learning rate that suits other points suits these. */
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
    notes: [`The points are moved by (${x}, ${y}) to their middle and divided by ${deviation.toPrecision(3)}.`],
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
