// Convolutions and their transposes.
import { invalid, product } from "../checks.js";
import { conv2d as conv2dNode, conv2dTranspose } from "../ops/conv2d.js";
import { tensor, weightTensor } from "../tensor.js";
import { weightsAt, type LayerType, type Place, type ResolvedLayer } from "./definition.js";
import { along, both, imageAt, pair, sides, sizeOf, type Pair } from "./image.js";
import type { Conv2dLayer, ConvTranspose2dLayer } from "./json.js";
import { activation, count, padding, positive, size2d } from "./keys.js";

export interface ResolvedConv extends ResolvedLayer {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros above and to the left of the input, or of the output if the convolution is transposed. */
  readonly pad: Pair;
}

/** What both have in common. */
function convolution<J extends Conv2dLayer | ConvTranspose2dLayer>(
  more: LayerType["may"],
  make: typeof conv2dNode,
  axesOf: (json: J, place: string, kernel: Pair, stride: Pair, image: Pair) => ReturnType<typeof both>,
): LayerType<J, ResolvedConv> {
  return {
    needs: { filters: count, kernel: positive },
    may: { stride: positive, padding, ...more, activation },
    resolve(json: J, { path, place, input }: Place) {
      const [height, width, channels] = imageAt(place, input);
      const [kernel, stride] = [pair(json.kernel), pair(json.stride ?? 1)];
      const { size, pad } = axesOf(json, place, kernel, stride, [height, width]);
      weightsAt(path, product(kernel) * channels, json.filters);
      return { type: json.type, kernel, stride, pad, output: [...size, json.filters] };
    },
    parameters({ type, path, input, output, kernel }, declare) {
      const pixels = product(kernel);
      const [large = 1, small = 1] = [input, output].map((shape) => shape.at(-1) ?? 1);
      const ends = type === "conv2d" ? ([large, small] as const) : ([small, large] as const);
      // As PyTorch begins both: the fan-in of a transposed convolution is counted on its output's side.
      const fans = { fanIn: pixels * ends[0], fanOut: pixels * ends[1] };
      const weight = weightTensor(`${path}.weight`, "param", [...kernel, ends[0]], [ends[1]]);
      declare(weight, { kind: "weight", fans });
      declare(tensor(`${path}.bias`, "param", [small]), { kind: "bias", fans });
    },
    build(g, layer, x, name, activation) {
      const { path, stride, pad } = layer;
      const [W, b] = [g.parameter(`${path}.weight`), g.parameter(`${path}.bias`)];
      return g.output(make(name, x, W, b, { stride, pad, size: sizeOf(layer) }, activation), "result");
    },
  };
}

export const conv2d = convolution<Conv2dLayer>({}, conv2dNode, (json, place, kernel, stride, image) =>
  along(place, kernel, stride, json.padding ?? "same", image),
);

export const convTranspose2d = convolution<ConvTranspose2dLayer>(
  { outputPadding: size2d(0) },
  conv2dTranspose,
  enlarged,
);

/** Size of the image that a convolution would turn into `small`. */
function enlarged(layer: ConvTranspose2dLayer, place: string, kernel: Pair, stride: Pair, small: Pair) {
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
