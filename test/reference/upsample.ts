// Twin of shaders/upsample.wgsl: each pixel of y by the pixels of x that make it; a gradient goes back to the same.
import { size, type Activation, type Tensor } from "../../src/tensor.js";
import { slope } from "./activation.js";
import { at, tensorAt, type Twin } from "./twin.js";

/** The pixels of an axis of x that make pixel `o` of y, with their weights. */
type Neighbours = (o: number, factor: number, count: number) => readonly (readonly [number, number])[];

const nearest: Neighbours = (o, factor) => [[Math.floor(o / factor), 1]];

const bilinear: Neighbours = (o, factor, count) => {
  const inside = (pixel: number) => Math.min(Math.max(pixel, 0), count - 1);
  const place = (o + 0.5) / factor - 0.5;
  const low = Math.floor(place);
  return [
    [inside(low), 1 - (place - low)],
    [inside(low + 1), place - low],
  ];
};

/** Calls `visit` with each value of y, each value of x in it, both as indices, and the latter's weight. */
function forEachPair(
  x: Tensor,
  y: Tensor,
  neighbours: Neighbours,
  visit: (o: number, pixel: number, weight: number) => void,
): void {
  const [, H = 1, W = 1, C = 1] = x.shape;
  const [B = 1, OH = 1, OW = 1] = y.shape;
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < OH; i++) {
      for (let j = 0; j < OW; j++) {
        for (const [row, down] of neighbours(i, OH / H, H)) {
          for (const [column, across] of neighbours(j, OW / W, W)) {
            for (let c = 0; c < C; c++) {
              visit(((b * OH + i) * OW + j) * C + c, ((b * H + row) * W + column) * C + c, down * across);
            }
          }
        }
      }
    }
  }
}

const upsample =
  (neighbours: Neighbours): Twin =>
  (node, values) => {
    const x = at(values, "x");
    const y = new Float64Array(size(tensorAt(node, "y").shape));
    forEachPair(tensorAt(node, "x"), tensorAt(node, "y"), neighbours, (o, pixel, weight) => {
      y[o]! += weight * x[pixel]!;
    });
    return { y };
  };

const inputGradient =
  (neighbours: Neighbours): Twin =>
  (node, values) => {
    const [dy, saved] = [at(values, "dy"), at(values, "saved")];
    const sum = new Float64Array(saved.length);
    forEachPair(tensorAt(node, "dx"), tensorAt(node, "dy"), neighbours, (o, pixel, weight) => {
      sum[pixel]! += weight * dy[o]!;
    });
    return { dx: sum.map((g, i) => g * slope(node.attributes.activation as Activation, saved[i]!)) };
  };

export const upsampleTwins: Readonly<Record<string, Twin>> = {
  upsample_nearest: upsample(nearest),
  upsample_bilinear: upsample(bilinear),
  upsample_nearest_grad: inputGradient(nearest),
  upsample_bilinear_grad: inputGradient(bilinear),
};
