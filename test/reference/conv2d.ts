// Twin of shaders/conv2d*.wgsl: the three products of a large image, a small one and W [KH, KW, CL, CS], as sums over
// all pairs of pixels that meet.
import type { Node } from "../../src/graph.js";
import type { Activation, Tensor } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, tensorAt, type Twin, type Values } from "./twin.js";

const activationOf = (node: Node) => (node.attributes.activation ?? "none") as Activation;

/** [B, H, W, C] of an image, or the four sizes of W. */
const four = (tensor: Tensor) => tensor.shape as readonly [number, number, number, number];

interface Sizes {
  readonly large: readonly [number, number, number, number];
  readonly small: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
}

/** The node's images: `result` is the one that isn't among its inputs. */
function sizesOf(node: Node): Sizes {
  const { large = tensorAt(node, "result"), small = tensorAt(node, "result") } = node.inputs;
  const weights = node.inputs.W ?? tensorAt(node, "dW");
  // Parts stand before the four sizes.
  const [KH = 1, KW = 1] = weights.shape.slice(-4);
  return { large: four(large), small: four(small), kernel: [KH, KW] };
}

/**
 * Calls `visit` with each small pixel and large pixel, both counted over the batch, and the tap of the kernel in which
 * they meet: small (i, j) and tap (u, v) meet large (i stride_y + u - pad_y, j stride_x + v - pad_x). Pixels outside of
 * the large image are zero, and add nothing.
 */
function meetings(node: Node, visit: (p: number, q: number, tap: number) => void): void {
  const {
    large: [B, LH, LW],
    small: [, SH, SW],
    kernel: [KH, KW],
  } = sizesOf(node);
  const { stride_y, stride_x, pad_y, pad_x } = node.attributes as Record<string, number>;
  for (let image = 0; image < B; image++) {
    for (let i = 0; i < SH; i++) {
      for (let j = 0; j < SW; j++) {
        for (let u = 0; u < KH; u++) {
          for (let v = 0; v < KW; v++) {
            const y = i * stride_y! + u - pad_y!;
            const x = j * stride_x! + v - pad_x!;
            if (y < 0 || y >= LH || x < 0 || x >= LW) continue;
            visit((image * SH + i) * SW + j, (image * LH + y) * LW + x, u * KW + v);
          }
        }
      }
    }
  }
}

/** small[p, cs] = sum over meetings and cl of large[q, cl] W[tap, cl, cs]. */
function toSmall(node: Node, values: Values): Float64Array {
  const { large, small } = sizesOf(node);
  const [CL, CS] = [large[3], small[3]];
  const [from, W] = [at(values, "large"), at(values, "W")];
  const sums = new Float64Array(small[0] * small[1] * small[2] * CS);
  meetings(node, (p, q, tap) => {
    for (let cl = 0; cl < CL; cl++) {
      for (let cs = 0; cs < CS; cs++) sums[p * CS + cs]! += from[q * CL + cl]! * W[(tap * CL + cl) * CS + cs]!;
    }
  });
  return sums;
}

/** large[q, cl] = sum over meetings and cs of small[p, cs] W[tap, cl, cs]. */
function toLarge(node: Node, values: Values): Float64Array {
  const { large, small } = sizesOf(node);
  const [CL, CS] = [large[3], small[3]];
  const [from, W] = [at(values, "small"), at(values, "W")];
  const sums = new Float64Array(large[0] * large[1] * large[2] * CL);
  meetings(node, (p, q, tap) => {
    for (let cl = 0; cl < CL; cl++) {
      for (let cs = 0; cs < CS; cs++) sums[q * CL + cl]! += from[p * CS + cs]! * W[(tap * CL + cl) * CS + cs]!;
    }
  });
  return sums;
}

const partsOf = ({ name, shape }: Tensor) => (name.endsWith(".parts") ? shape[0]! : 1);

/** Pixels are divided among parts as equally as multiples of 4 can. */
const partLength = (pixels: number, parts: number) => Math.ceil(pixels / parts / 4) * 4;

/** dW[tap, cl, cs] = sum over meetings of large[q, cl] small[p, cs]; parts divide the small image's pixels. */
function kernelGradient(node: Node, values: Values): Float64Array {
  const { large, small, kernel } = sizesOf(node);
  const [CL, CS] = [large[3], small[3]];
  const [atLarge, atSmall] = [at(values, "large"), at(values, "small")];
  const parts = partsOf(tensorAt(node, "dW"));
  const length = partLength(small[0] * small[1] * small[2], parts);
  const taps = kernel[0] * kernel[1];
  const dW = new Float64Array(parts * taps * CL * CS);
  meetings(node, (p, q, tap) => {
    const first = Math.floor(p / length) * taps + tap;
    for (let cl = 0; cl < CL; cl++) {
      for (let cs = 0; cs < CS; cs++) dW[(first * CL + cl) * CS + cs]! += atLarge[q * CL + cl]! * atSmall[p * CS + cs]!;
    }
  });
  return dW;
}

/** db = the sum of dy's pixels; parts divide them. */
function biasGradient(node: Node, values: Values, key: "large" | "small"): Float64Array {
  const [B, H, W, C] = sizesOf(node)[key];
  const dy = at(values, key);
  const parts = partsOf(tensorAt(node, "db"));
  const length = partLength(B * H * W, parts);
  const db = new Float64Array(parts * C);
  dy.forEach((value, i) => (db[Math.floor(Math.floor(i / C) / length) * C + (i % C)]! += value));
  return db;
}

function layer(product: (node: Node, values: Values) => Float64Array): Twin {
  return (node, values) => {
    const b = at(values, "b");
    const pre = product(node, values).map((sum, i) => sum + b[i % b.length]!);
    const result = pre.map((a) => activate(activationOf(node), a));
    return node.outputs.pre ? { result, pre } : { result };
  };
}

/** The input's gradient, times the slope of the activation that made it. In place, the result holds what the slope is computed from. */
function inputGradient(product: (node: Node, values: Values) => Float64Array): Twin {
  return (node, values) => {
    const saved = at(values, node.attributes.in_place ? "result" : "saved");
    return { result: product(node, values).map((sum, i) => sum * slope(activationOf(node), saved[i]!)) };
  };
}

function weightGradients(dy: "large" | "small"): Twin {
  return (node, values) => ({ dW: kernelGradient(node, values), db: biasGradient(node, values, dy) });
}

export const conv2dTwins: Readonly<Record<string, Twin>> = {
  conv2d: layer(toSmall),
  conv2d_transpose: layer(toLarge),
  conv2d_grad_input: inputGradient(toLarge),
  conv2d_grad_weight: weightGradients("small"),
  conv2d_transpose_grad_input: inputGradient(toSmall),
  conv2d_transpose_grad_weight: weightGradients("large"),
};
