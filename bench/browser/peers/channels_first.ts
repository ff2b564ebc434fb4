// A model's steps for a library whose images are NCHW: if the order of a vector's values changes, the weights that use
// it are permuted on the host, instead of the values on the device.
import type { ConvStep, DenseStep, LayerStep, ModelSteps, ReshapeStep } from "../layers.js";
import type { Weight } from "../protocol.js";

type Image = readonly [number, number, number];

export interface NamedWeight extends Weight {
  readonly name: string;
}

type Weighted<S> = S & {
  /** Converts the step's tensors from Keras's layouts to the library's. */
  weights(from: ReadonlyMap<string, Weight>): NamedWeight[];
};

export type OrderedStep = Weighted<DenseStep> | Weighted<ConvStep> | ReshapeStep;

export interface OrderedModel {
  readonly encoder: readonly OrderedStep[];
  readonly mean: Weighted<DenseStep>;
  readonly logVariance: Weighted<DenseStep>;
  readonly decoder: readonly OrderedStep[];
  /** Whether the encoder takes, and the decoder returns, images in NCHW; otherwise vectors in NHWC order. */
  readonly inputFirst: boolean;
  readonly outputFirst: boolean;
}

export function channelsFirstSteps(model: ModelSteps): OrderedModel {
  const inputFirst = model.encoder[0]?.kind === "conv2d" || model.encoder[0]?.kind === "conv_transpose2d";
  // A model of vectors takes a flat input.
  const begins: Order = inputFirst ? imageOf(model.input) : null;
  const encoder = inOrder(model.encoder, begins);
  const head = (step: DenseStep) => ordered(step, encoder.order, null);
  const decoder = inOrder(model.decoder, null);
  return {
    encoder: encoder.steps,
    mean: head(model.mean),
    logVariance: head(model.logVariance),
    decoder: decoder.steps,
    inputFirst,
    outputFirst: decoder.order !== null,
  };
}

/** The image in whose NCHW order the values are; null: the spec's order. */
type Order = Image | null;

function inOrder(steps: readonly LayerStep[], begins: Order): { steps: OrderedStep[]; order: Order } {
  let order = begins;
  const result = steps.map((step, index): OrderedStep => {
    if (step.kind === "dense") {
      // A vector that is reshaped to an image next is made in that image's order.
      const next = steps[index + 1];
      const made = next?.kind === "reshape" && next.to.length === 3 ? imageOf(next.to) : null;
      const dense = ordered(step, order, made);
      order = made;
      return dense;
    }
    if (step.kind === "reshape") {
      const to = step.to.length === 3 ? imageOf(step.to) : null;
      if (to ? !order || String(order) !== String(to) : step.to.length !== 1) {
        throw new Error(`the comparison cannot reshape [${step.from.join(", ")}] to [${step.to.join(", ")}] in NCHW`);
      }
      return { ...step, to: to ? [to[2], to[0], to[1]] : step.to };
    }
    if (!order) throw new Error(`${step.path}: needs an image`);
    order = step.to;
    return { ...step, weights: (from) => convWeights(step, from) };
  });
  return { steps: result, order };
}

function imageOf(shape: readonly number[]): Image {
  const [height = 0, width = 0, channels = 0] = shape;
  return [height, width, channels];
}

function ordered(step: DenseStep, from: Order, to: Order): Weighted<DenseStep> {
  return {
    ...step,
    weights(all) {
      const weight = named(all, `${step.path}.weight`);
      const bias = named(all, `${step.path}.bias`);
      const rows = firstOrder(from, step.inputs);
      const columns = firstOrder(to, step.outputs);
      const values = new Float32Array(weight.values.length);
      rows.forEach((row, i) =>
        columns.forEach((column, j) => (values[i * step.outputs + j] = weight.values[row * step.outputs + column]!)),
      );
      return [
        { ...weight, values },
        { ...bias, values: Float32Array.from(columns, (column) => bias.values[column]!) },
      ];
    },
  };
}

/** For each index in NCHW order, the index in NHWC order. */
function firstOrder(order: Order, size: number): number[] {
  if (!order) return Array.from({ length: size }, (_, i) => i);
  const [height, width, channels] = order;
  const places: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (let pixel = 0; pixel < height * width; pixel++) places.push(pixel * channels + c);
  }
  return places;
}

/** [O, I, KH, KW] for either kind of convolution; a transposed one's kernel is rotated by 180 degrees. */
function convWeights(step: ConvStep, all: ReadonlyMap<string, Weight>): NamedWeight[] {
  const weight = named(all, `${step.path}.weight`);
  const bias = named(all, `${step.path}.bias`);
  const [height, width] = step.kernel;
  const [inputs, outputs] = [step.from[2], step.to[2]];
  const values = new Float32Array(weight.values.length);
  let at = 0;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let u = 0; u < height; u++) {
        for (let v = 0; v < width; v++) {
          const tap =
            step.kind === "conv2d"
              ? ((u * width + v) * inputs + i) * outputs + o
              : (((height - 1 - u) * width + (width - 1 - v)) * outputs + o) * inputs + i;
          values[at++] = weight.values[tap]!;
        }
      }
    }
  }
  return [
    { ...weight, values, shape: [outputs, inputs, height, width] },
    { ...bias, shape: [outputs, 1, 1] },
  ];
}

/**
 * A transposed convolution is a convolution of the image dilated by the stride, with the kernel rotated; this is that
 * convolution's padding, [before, after] along each axis.
 */
export function spreadPadding(step: ConvStep): [[number, number], [number, number]] {
  const along = (axis: 0 | 1): [number, number] => {
    const spread = (step.from[axis] - 1) * step.stride[axis] + 1;
    const before = step.kernel[axis] - 1 - step.padding[2 * axis]!;
    return [before, step.to[axis] - spread - before + step.kernel[axis] - 1];
  };
  return [along(0), along(1)];
}

function named(all: ReadonlyMap<string, Weight>, name: string): NamedWeight {
  const found = all.get(name);
  if (!found) throw new Error(`no weight ${name}`);
  return { name, ...found };
}

/** Images [count, H, W, C] as [count, C, H, W]. */
export function channelsFirst(
  images: Float32Array<ArrayBuffer>,
  count: number,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  const size = images.length / count;
  const places = firstOrder(imageOf(shape), size);
  const result = new Float32Array(images.length);
  for (let n = 0; n < count; n++) places.forEach((place, i) => (result[n * size + i] = images[n * size + place]!));
  return result;
}
