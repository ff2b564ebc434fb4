// Resolves each layer's output shape from its input's: sizes, paddings and windows.
import { invalid, LARGEST, product, show } from "./checks.js";
import type { Activation, ConvTranspose2dLayer, Layer, Padding, Size2d } from "./layers.js";

type Pair = readonly [number, number];

interface Resolved {
  /** The layer's path in the spec, "encoder.0", which its parameters' names start with. */
  readonly path: string;
  /** Shapes of one example: [H, W, C] or [D]; dense layers can take and return any shape. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly activation: Activation;
}
export interface ResolvedDense extends Resolved {
  readonly type: "dense";
}
export interface ResolvedConv extends Resolved {
  readonly type: "conv2d" | "conv_transpose2d";
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros above and to the left of the input, or of the output if the convolution is transposed. */
  readonly pad: Pair;
}
export interface ResolvedPool extends Resolved {
  readonly type: "max_pool2d" | "avg_pool2d";
  readonly window: Pair;
  readonly stride: Pair;
  readonly pad: Pair;
}
export interface ResolvedUpsample extends Resolved {
  readonly type: "upsample2d";
  readonly factor: Pair;
  readonly mode: "nearest" | "bilinear";
}
export interface ResolvedNorm extends Resolved {
  readonly type: "batch_norm" | "group_norm";
  readonly epsilon: number;
  readonly momentum: number;
  readonly groups: number;
}
export interface ResolvedDropout extends Resolved {
  readonly type: "dropout";
  readonly rate: number;
}
export interface ResolvedResidual extends Resolved {
  readonly type: "residual";
  readonly layers: readonly ResolvedLayer[];
}
export interface ResolvedReshape extends Resolved {
  readonly type: "reshape";
}
export type ResolvedLayer =
  | ResolvedDense
  | ResolvedConv
  | ResolvedPool
  | ResolvedUpsample
  | ResolvedNorm
  | ResolvedDropout
  | ResolvedResidual
  | ResolvedReshape;

/**
 * Resolves `layers` for an input of shape `from`. Throws INVALID_SPEC naming the layer and the sizes that don't fit.
 */
export function resolveLayers(layers: readonly Layer[], place: string, from: readonly number[]): ResolvedLayer[] {
  let shape = from;
  return layers.map((layer, index) => {
    const resolved = resolve(layer, `${place}.${index}`, shape);
    if (product(resolved.output) > LARGEST) {
      invalid(`${resolved.path} (${layer.type}): its output ${show(resolved.output)} has more than ${LARGEST} values`);
    }
    shape = resolved.output;
    return resolved;
  });
}

function resolve(layer: Layer, path: string, input: readonly number[]): ResolvedLayer {
  const { type } = layer;
  const place = `${path} (${type})`;
  const activation = ("activation" in layer ? layer.activation : undefined) ?? "none";
  const whole = { path, input, activation };
  switch (type) {
    case "dense":
      weightsAt(path, product(input), layer.units);
      return { ...whole, type, output: [layer.units] };
    case "conv2d": {
      const [height, width, channels] = imageAt(place, input);
      const [kernel, stride] = [pair(layer.kernel), pair(layer.stride ?? 1)];
      const axes = along(place, kernel, stride, layer.padding ?? "same", [height, width]);
      weightsAt(path, product(kernel) * channels, layer.filters);
      return { ...whole, type, kernel, stride, pad: axes.pad, output: [...axes.size, layer.filters] };
    }
    case "conv_transpose2d": {
      const [height, width, channels] = imageAt(place, input);
      const [kernel, stride] = [pair(layer.kernel), pair(layer.stride ?? 1)];
      const axes = enlarged(place, layer, kernel, stride, [height, width]);
      weightsAt(path, product(kernel) * channels, layer.filters);
      return { ...whole, type, kernel, stride, pad: axes.pad, output: [...axes.size, layer.filters] };
    }
    case "max_pool2d":
    case "avg_pool2d": {
      const [height, width, channels] = imageAt(place, input);
      const window = pair(layer.window);
      const stride = pair(layer.stride ?? layer.window);
      const axes = along(place, window, stride, layer.padding ?? "valid", [height, width]);
      // A window entirely in the padding has neither a largest value nor a mean.
      axes.sides.forEach(([before, after], axis) => {
        if (Math.max(before, after) >= (window[axis] ?? 1)) {
          invalid(
            `${place}: a padding of ${Math.max(before, after)} leaves windows of ${window[axis]} without a pixel`,
          );
        }
      });
      return { ...whole, type, window, stride, pad: axes.pad, output: [...axes.size, channels] };
    }
    case "upsample2d": {
      const [height, width, channels] = imageAt(place, input);
      const factor = pair(layer.factor);
      const output = [height * factor[0], width * factor[1], channels];
      return { ...whole, type, factor, mode: layer.mode ?? "nearest", output };
    }
    case "batch_norm":
    case "group_norm": {
      const { epsilon = 1e-5 } = layer;
      const channels = input.at(-1) ?? 1;
      const groups = type === "group_norm" ? layer.groups : 0;
      if (groups && channels % groups !== 0) {
        invalid(`${place}: ${channels} channels cannot be divided into ${groups} groups of equal size`);
      }
      if (groups && groups === product(input)) {
        invalid(`${place}: ${groups} groups of ${show(input)} have one value each, which would always become 0`);
      }
      const momentum = type === "batch_norm" ? (layer.momentum ?? 0.9) : 0;
      return { ...whole, type, epsilon, momentum, groups, output: input };
    }
    case "dropout":
      return { ...whole, type, rate: layer.rate, output: input };
    case "residual": {
      const layers = resolveLayers(layer.layers, path, input);
      const end = layers.at(-1)?.output ?? input;
      if (layers.length === 0) invalid(`${place}: needs at least one layer`);
      if (String(end) !== String(input)) {
        invalid(`${place}: its layers end in shape ${show(end)}, which cannot be added to its input ${show(input)}`);
      }
      return { ...whole, type, layers, output: input };
    }
    case "flatten":
      return { ...whole, type: "reshape", output: [product(input)] };
    case "reshape":
      if (product(layer.shape) !== product(input)) {
        invalid(
          `${place}: cannot make shape ${show(layer.shape)} (${product(layer.shape)} values) of shape ` +
            `${show(input)} (${product(input)} values)${input.length === 1 ? `; put a dense(${product(layer.shape)}) before it` : ""}`,
        );
      }
      return { ...whole, type, output: layer.shape };
  }
}

export const pair = (size: Size2d): Pair => (typeof size === "number" ? [size, size] : size);

/** Padding before and after that "same" needs for `steps` windows over `size`. */
function sides(padding: Padding, axis: 0 | 1, kernel: number, stride: number, steps: number, size: number): Pair {
  if (padding === "valid") return [0, 0];
  if (typeof padding === "number") return [padding, padding];
  if (padding !== "same") return [padding[2 * axis] ?? 0, padding[2 * axis + 1] ?? 0];
  const total = Math.max((steps - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Number of windows that fit along both axes of an image, and the padding. */
function along(place: string, kernel: Pair, stride: Pair, padding: Padding, image: Pair) {
  const axes = ([0, 1] as const).map((axis) => {
    const [k, s, n] = [kernel[axis], stride[axis], image[axis]];
    const [before, after] = sides(padding, axis, k, s, Math.ceil(n / s), n);
    if (k > n + before + after) {
      const padded = before + after > 0 ? `, padded to ${n + before + after}` : "";
      const series = n === 1 ? "; for a series [n, 1, c] write [k, 1]" : "";
      invalid(
        `${place}: a window of ${k} is larger than the image's ${axis === 0 ? "height" : "width"} ${n}${padded}${series}`,
      );
    }
    return { size: Math.floor((n + before + after - k) / s) + 1, before, after };
  });
  return both(axes);
}

/** Size of the image that a convolution would turn into `small`. */
function enlarged(place: string, layer: ConvTranspose2dLayer, kernel: Pair, stride: Pair, small: Pair) {
  const { padding = "same", outputPadding } = layer;
  const added = pair(outputPadding ?? 0);
  const axes = ([0, 1] as const).map((axis) => {
    const [k, s, n, more] = [kernel[axis], stride[axis], small[axis], added[axis]];
    if (more >= s) invalid(`${place}: outputPadding ${more} must be below the stride ${s}`);
    const whole = (n - 1) * s + k;
    // Keras's rule for "same" with an outputPadding, even 0: half a kernel is cut off each side of the kernels' full
    // extent, then outputPadding is added. TensorFlow splits the total that is cut off, smaller half first.
    const same = outputPadding === undefined ? n * s : whole - 2 * Math.floor(k / 2) + more;
    const [before, after] = sides(padding, axis, k, s, n, same);
    const left = padding === "valid" ? Math.max(k, s) - k : -before - after;
    const size = padding === "same" ? same : whole + left + more;
    if (size < 1) invalid(`${place}: a padding of ${before} and ${after} leaves nothing of an output of ${whole}`);
    return { size, before, after };
  });
  return both(axes);
}

function both(axes: readonly { readonly size: number; readonly before: number; readonly after: number }[]) {
  const [y, x] = axes;
  if (!y || !x) throw new Error("an image has two axes");
  return {
    size: [y.size, x.size] as const,
    pad: [y.before, x.before] as const,
    sides: axes.map(({ before, after }) => [before, after] as const),
  };
}

function imageAt(place: string, shape: readonly number[]): readonly [number, number, number] {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || !height || !width || !channels) {
    const [n = 1, c = 1] = shape;
    // The encoder's first layer gets the user's own shape.
    const given = place.startsWith("encoder.0 ")
      ? `; a series is [${n}, 1, ${c}], with kernels [k, 1]${c > 1 ? `, and a grey image [${n}, ${c}, 1]` : ""}`
      : "";
    invalid(
      `${place}: needs an image [height, width, channels]; its input has shape ${show(shape)}. A reshape makes one${given}`,
    );
  }
  return [height, width, channels];
}

export function weightsAt(path: string, inputs: number, outputs: number): void {
  if (inputs * outputs > LARGEST) {
    invalid(`${path}: ${inputs} x ${outputs} weights are more than the ${LARGEST} that a buffer can hold`);
  }
}
