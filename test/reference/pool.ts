// Twin of shaders/pool.wgsl: window by window; a gradient goes from each window to its pixels.
import type { Node } from "../../src/graph.js";
import { size, type Activation, type Tensor } from "../../src/tensor.js";
import { slope } from "./activation.js";
import { at, tensorAt, type Twin, type Values } from "./twin.js";

/** Calls `visit` with each value of y and the values of x in its window, in row-major order, both as indices. */
function forEachWindow(node: Node, x: Tensor, y: Tensor, visit: (o: number, pixels: readonly number[]) => void): void {
  const [, H = 1, W = 1, C = 1] = x.shape;
  const [B = 1, OH = 1, OW = 1] = y.shape;
  const attribute = (name: string) => node.attributes[name] as number;
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < OH; i++) {
      for (let j = 0; j < OW; j++) {
        for (let c = 0; c < C; c++) {
          const pixels: number[] = [];
          for (let u = 0; u < attribute("window_y"); u++) {
            for (let v = 0; v < attribute("window_x"); v++) {
              const row = i * attribute("stride_y") + u - attribute("pad_y");
              const column = j * attribute("stride_x") + v - attribute("pad_x");
              const inside = row >= 0 && row < H && column >= 0 && column < W;
              if (inside) pixels.push(((b * H + row) * W + column) * C + c);
            }
          }
          visit(((b * OH + i) * OW + j) * C + c, pixels);
        }
      }
    }
  }
}

/** Of pixels the first with the largest value. */
const firstMaximum = (x: Float64Array, pixels: readonly number[]) =>
  pixels.reduce((best, pixel) => (x[pixel]! > x[best]! ? pixel : best));

const maxPool: Twin = (node, values) => {
  const x = at(values, "x");
  const y = tensorAt(node, "y");
  const result = new Float64Array(size(y.shape));
  forEachWindow(node, tensorAt(node, "x"), y, (o, pixels) => (result[o] = x[firstMaximum(x, pixels)]!));
  return { y: result };
};

const avgPool: Twin = (node, values) => {
  const x = at(values, "x");
  const y = tensorAt(node, "y");
  const result = new Float64Array(size(y.shape));
  forEachWindow(node, tensorAt(node, "x"), y, (o, pixels) => {
    for (const pixel of pixels) result[o]! += x[pixel]! / pixels.length;
  });
  return { y: result };
};

/** dx: the slope times the sum of what the windows give, each its dy to the pixels that `receivers` picks, evenly. */
function inputGradient(
  node: Node,
  values: Values,
  receivers: (pixels: readonly number[]) => readonly number[],
): Record<string, Float64Array> {
  const [dy, saved] = [at(values, "dy"), at(values, "saved")];
  const sum = new Float64Array(saved.length);
  forEachWindow(node, tensorAt(node, "dx"), tensorAt(node, "dy"), (o, pixels) => {
    const chosen = receivers(pixels);
    for (const pixel of chosen) sum[pixel]! += dy[o]! / chosen.length;
  });
  return { dx: sum.map((g, i) => g * slope(node.attributes.activation as Activation, saved[i]!)) };
}

const maxPoolGrad: Twin = (node, values) => {
  const x = at(values, "x");
  return inputGradient(node, values, (pixels) => [firstMaximum(x, pixels)]);
};

export const poolTwins: Readonly<Record<string, Twin>> = {
  max_pool: maxPool,
  avg_pool: avgPool,
  max_pool_grad: maxPoolGrad,
  avg_pool_grad: (node, values) => inputGradient(node, values, (pixels) => pixels),
};
