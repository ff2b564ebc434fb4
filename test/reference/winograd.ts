// Twin of shaders/winograd*.wgsl: F(2, 2) as its three matrices (Lavin and Gray 2016, equation 8, with these), applied
// down and across, and their transposes; and the products between them.
import type { Node } from "../../src/graph.js";
import type { Activation } from "../../src/tensor.js";
import { activate, slope } from "./activation.js";
import { at, tensorAt, type Twin, type Values } from "./twin.js";

type Matrix = readonly (readonly number[])[];
/** y = A^T ((G g) (B^T d)): rows are the three products, columns pixels, taps or results. */
const BT: Matrix = [
  [1, -1, 0],
  [0, 1, 0],
  [0, 1, -1],
];
const G: Matrix = [
  [1, 0],
  [1, 1],
  [0, 1],
];
const A: Matrix = [
  [1, 0],
  [1, 1],
  [0, -1],
];

const sizes = (node: Node) => node.attributes as unknown as Record<string, number>;

/**
 * Calls `visit` with each value of an image or of W, each value of the nine of a tile or phase in which it counts, and
 * how much. Values are counted without padding in images and W, with it in what the products have.
 */
type Walk = (node: Node, channels: number, visit: (value: number, nine: number, factor: number) => void) => void;

/** Both directions of a matrix. */
function* both(matrix: Matrix): Generator<[nine: number, down: number, across: number, factor: number]> {
  for (const [i, row] of matrix.entries()) {
    for (const [j, column] of matrix.entries()) {
      for (const [a, down] of row.entries()) {
        for (const [b, across] of column.entries()) {
          if (down * across !== 0) yield [3 * i + j, a, b, down * across];
        }
      }
    }
  }
}

const walkLarge: Walk = (node, channels, visit) => {
  const { batch, large_h, large_w, large_c, stride_y, stride_x, pad_y, pad_x, tiles_h, tiles_w } = sizes(node);
  const steps = [...both(BT)];
  for (let tile = 0; tile < batch! * tiles_h! * tiles_w!; tile++) {
    const [ty, tx] = [Math.floor(tile / tiles_w!) % tiles_h!, tile % tiles_w!];
    const image = Math.floor(tile / tiles_w! / tiles_h!);
    for (let phase = 0; phase < stride_y! * stride_x!; phase++) {
      for (const [nine, a, b, factor] of steps) {
        const y = stride_y! * (2 * ty + a) + Math.floor(phase / stride_x!) - pad_y!;
        const x = stride_x! * (2 * tx + b) + (phase % stride_x!) - pad_x!;
        if (y < 0 || y >= large_h! || x < 0 || x >= large_w!) continue;
        const pixel = (image * large_h! + y) * large_w! + x;
        const first = ((tile * 9 + nine) * stride_y! * stride_x! + phase) * 4 * large_c!;
        for (let c = 0; c < channels; c++) visit(pixel * channels + c, first + c, factor);
      }
    }
  }
};

const walkSmall: Walk = (node, channels, visit) => {
  const { batch, small_h, small_w, small_c, tiles_h, tiles_w } = sizes(node);
  const steps = [...both(A)];
  for (let tile = 0; tile < batch! * tiles_h! * tiles_w!; tile++) {
    const [ty, tx] = [Math.floor(tile / tiles_w!) % tiles_h!, tile % tiles_w!];
    const image = Math.floor(tile / tiles_w! / tiles_h!);
    for (const [nine, a, b, factor] of steps) {
      const [y, x] = [2 * ty + a, 2 * tx + b];
      if (y >= small_h! || x >= small_w!) continue;
      const pixel = (image * small_h! + y) * small_w! + x;
      const first = (tile * 9 + nine) * 4 * small_c!;
      for (let c = 0; c < channels; c++) visit(pixel * channels + c, first + c, factor);
    }
  }
};

/** W [2 sy, 2 sx, CL, CS], `channels` being CS. */
function walkWeight(node: Node, inputs: number, channels: number, visit: Parameters<Walk>[2]): void {
  const { large_c, small_c, stride_y, stride_x } = sizes(node);
  const phases = stride_y! * stride_x!;
  for (let phase = 0; phase < phases; phase++) {
    for (const [nine, a, b, factor] of both(G)) {
      const u = stride_y! * a + Math.floor(phase / stride_x!);
      const v = stride_x! * b + (phase % stride_x!);
      for (let cl = 0; cl < inputs; cl++) {
        const from = ((u * 2 * stride_x! + v) * inputs + cl) * channels;
        const to = ((nine * phases + phase) * 4 * large_c! + cl) * 4 * small_c!;
        for (let cs = 0; cs < channels; cs++) visit(from + cs, to + cs, factor);
      }
    }
  }
}

const count = (node: Node, key: string) => tensorAt(node, key).shape.reduce((product, n) => product * n, 1);

function form(walk: Walk): Twin {
  return (node, values) => {
    const image = at(values, "image");
    const made = new Float64Array(count(node, "made"));
    walk(node, tensorAt(node, "image").shape[3]!, (value, nine, factor) => (made[nine]! += factor * image[value]!));
    return { made };
  };
}

const weightForm: Twin = (node, values) => {
  const W = at(values, "W");
  const [, , inputs = 1, channels = 1] = tensorAt(node, "W").shape;
  const made = new Float64Array(count(node, "made"));
  walkWeight(node, inputs, channels, (value, nine, factor) => (made[nine]! += factor * W[value]!));
  return { made };
};

/** Back to an image: bias and activation, or the slope of the activation of what the gradient is of. */
function back(walk: Walk): Twin {
  return (node, values) => {
    const sums = at(values, "sums");
    const channels = tensorAt(node, "result").shape[3]!;
    const result = new Float64Array(count(node, "result"));
    walk(node, channels, (value, nine, factor) => (result[value]! += factor * sums[nine]!));
    const { gradient, in_place } = sizes(node);
    const activation = node.attributes.activation as Activation;
    if (gradient) {
      const saved = at(values, in_place ? "result" : "aside");
      return { result: result.map((sum, i) => sum * slope(activation, saved[i]!)) };
    }
    const b = at(values, "aside");
    const pre = result.map((sum, i) => sum + b[i % channels]!);
    const y = pre.map((a) => activate(activation, a));
    return node.outputs.pre ? { result: y, pre } : { result: y };
  };
}

const weightBack: Twin = (node, values) => {
  const [sums, dy] = [at(values, "sums"), at(values, "image")];
  const [inputs = 1, channels = 1] = tensorAt(node, "dW").shape.slice(-2);
  const { parts, sum_parts, bias_rows } = sizes(node);
  const dW = new Float64Array(count(node, "dW"));
  const [from, to] = [sums.length / sum_parts!, dW.length / parts!];
  for (let part = 0; part < sum_parts!; part++) {
    walkWeight(
      node,
      inputs,
      channels,
      (value, nine, factor) => (dW[part * to + value]! += factor * sums[part * from + nine]!),
    );
  }
  const outputs = tensorAt(node, "image").shape[3]!;
  const db = new Float64Array(count(node, "db"));
  dy.forEach((value, i) => {
    const pixel = Math.floor(i / outputs);
    db[Math.floor(pixel / bias_rows!) * outputs + (i % outputs)]! += value;
  });
  return { dW, db };
};

/** Nine matrix products: `of` says where an operand's row and column lie, and the sum's. */
function products(
  sizesOf: (node: Node) => { rows: number; inner: number; columns: number; parts?: number },
  left: (nine: number, row: number, k: number) => number,
  right: (nine: number, k: number, column: number) => number,
): (node: Node, to: (part: number, nine: number, row: number, column: number) => number) => Float64Array {
  return (node, to) => {
    const { rows, inner, columns, parts = 1 } = sizesOf(node);
    const sums = new Float64Array(count(node, "sums"));
    const length = 4 * Math.ceil(inner / parts / 4);
    for (let nine = 0; nine < 9; nine++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          for (let k = 0; k < inner; k++) {
            const part = parts > 1 ? Math.floor(k / length) : 0;
            sums[to(part, nine, row, column)]! += left(nine, row, k) * right(nine, k, column);
          }
        }
      }
    }
    return sums;
  };
}

const shapes = (node: Node, key: string) => tensorAt(node, key).shape as readonly [number, number, number];

const down: Twin = (node, values: Values) => {
  const [large, W] = [at(values, "large"), at(values, "W")];
  const [rows, , inner] = shapes(node, "large");
  const [, , columns] = shapes(node, "W");
  const sums = products(
    () => ({ rows, inner, columns }),
    (nine, row, k) => large[(row * 9 + nine) * inner + k]!,
    (nine, k, column) => W[(nine * inner + k) * columns + column]!,
  )(node, (_, nine, row, column) => (row * 9 + nine) * columns + column);
  return { sums };
};

const up: Twin = (node, values: Values) => {
  const [small, W] = [at(values, "small"), at(values, "W")];
  const [rows, , inner] = shapes(node, "small");
  const [, columns] = shapes(node, "W");
  const sums = products(
    () => ({ rows, inner, columns }),
    (nine, row, k) => small[(row * 9 + nine) * inner + k]!,
    (nine, k, column) => W[(nine * columns + column) * inner + k]!,
  )(node, (_, nine, row, column) => (row * 9 + nine) * columns + column);
  return { sums };
};

const across: Twin = (node, values: Values) => {
  const [large, small] = [at(values, "large"), at(values, "small")];
  const [inner, , rows] = shapes(node, "large");
  const [, , columns] = shapes(node, "small");
  const [parts] = tensorAt(node, "sums").shape;
  const sums = products(
    () => ({ rows, inner, columns, parts: parts! }),
    (nine, row, k) => large[(k * 9 + nine) * rows + row]!,
    (nine, k, column) => small[(k * 9 + nine) * columns + column]!,
  )(node, (part, nine, row, column) => ((part * 9 + nine) * rows + row) * columns + column);
  return { sums };
};

export const winogradTwins: Readonly<Record<string, Twin>> = {
  winograd_large: form(walkLarge),
  winograd_small: form(walkSmall),
  winograd_weight: weightForm,
  winograd_to_large: back(walkLarge),
  winograd_to_small: back(walkSmall),
  winograd_to_weight: weightBack,
  winograd_down: down,
  winograd_up: up,
  winograd_across: across,
};
