// A ModelSpec's layers with all sizes resolved, as the peers' builders need them. Deliberately independent of the
// library's own code: "same" is implemented here a second time, and comparing the losses checks both.
import type { Activation } from "../../src/index.js";

/** The spec as parsed from JSON; layer types added to the library later pass through. */
export interface SpecJson {
  readonly input: readonly number[];
  readonly encoder: readonly LayerJson[];
  readonly latent: number;
  readonly decoder: readonly LayerJson[];
  readonly likelihood: unknown;
}

export interface LayerJson {
  readonly type: string;
  readonly units?: number;
  readonly shape?: readonly number[];
  readonly filters?: number;
  readonly kernel?: number | readonly number[];
  readonly stride?: number | readonly number[];
  /** Explicit: a number for every side, or [top, bottom, left, right]. */
  readonly padding?: "same" | "valid" | number | readonly number[];
  readonly outputPadding?: number | readonly number[];
  readonly activation?: string;
}

type Pair = readonly [number, number];
type Image = readonly [number, number, number];
export type Padding = readonly [top: number, bottom: number, left: number, right: number];

export interface DenseStep {
  readonly kind: "dense";
  /** Where its weights are: `${path}.weight`, `${path}.bias`. */
  readonly path: string;
  readonly from: readonly number[];
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
}
export interface ReshapeStep {
  readonly kind: "reshape";
  readonly from: readonly number[];
  readonly to: readonly number[];
}
/** conv2d or its transpose; the padding is always that of the convolution from the large image to the small one. */
export interface ConvStep {
  readonly kind: "conv2d" | "conv_transpose2d";
  readonly path: string;
  readonly from: Image;
  readonly to: Image;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  /** The word in the spec, if it used one. */
  readonly named: "same" | "valid" | null;
  readonly activation: Activation;
}
export type LayerStep = DenseStep | ReshapeStep | ConvStep;

export interface ModelSteps {
  readonly input: readonly number[];
  readonly latent: number;
  readonly encoder: readonly LayerStep[];
  readonly mean: DenseStep;
  readonly logVariance: DenseStep;
  readonly decoder: readonly LayerStep[];
}

const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);

export function modelSteps(spec: SpecJson): ModelSteps {
  if (spec.likelihood !== "bernoulli") throw new Error("the comparison trains Bernoulli models only");
  const encoder = chain(spec.encoder, "encoder", spec.input);
  const from = encoder.at(-1) ? outputShape(encoder.at(-1)!) : spec.input;
  const head = (path: string): DenseStep => ({
    kind: "dense",
    path,
    from,
    inputs: product(from),
    outputs: spec.latent,
    activation: "none",
  });
  const decoder = chain(spec.decoder, "decoder", [spec.latent]);
  const ends = decoder.at(-1) ? outputShape(decoder.at(-1)!) : [spec.latent];
  if (product(ends) !== product(spec.input)) {
    throw new Error(`the decoder ends in [${ends.join(", ")}], the input is [${spec.input.join(", ")}]`);
  }
  return {
    input: spec.input,
    latent: spec.latent,
    encoder,
    mean: head("mean"),
    logVariance: head("log_variance"),
    decoder,
  };
}

export function outputShape(step: LayerStep): readonly number[] {
  return step.kind === "dense" ? [step.outputs] : step.to;
}

function chain(layers: readonly LayerJson[], list: string, input: readonly number[]): LayerStep[] {
  let shape = input;
  return layers.map((layer, index) => {
    const step = resolve(layer, `${list}.${index}`, shape);
    shape = outputShape(step);
    return step;
  });
}

function resolve(layer: LayerJson, path: string, from: readonly number[]): LayerStep {
  const activation = (layer.activation ?? "none") as Activation;
  switch (layer.type) {
    case "dense":
      return { kind: "dense", path, from, inputs: product(from), outputs: layer.units ?? 0, activation };
    case "flatten":
      return { kind: "reshape", from, to: [product(from)] };
    case "reshape":
      return { kind: "reshape", from, to: layer.shape ?? [] };
    case "conv2d":
    case "conv_transpose2d":
      return convolution(layer, layer.type, path, from, activation);
    default:
      throw new Error(`${path}: the comparison does not support layers of type "${layer.type}"`);
  }
}

const pair = (value: number | readonly number[]): Pair =>
  typeof value === "number" ? [value, value] : [value[0] ?? 1, value[1] ?? 1];

function convolution(
  layer: LayerJson,
  kind: ConvStep["kind"],
  path: string,
  from: readonly number[],
  activation: Activation,
): ConvStep {
  const [height, width, channels] = from;
  if (from.length !== 3 || !height || !width || !channels) {
    throw new Error(`${path}: a convolution needs an image, found [${from.join(", ")}]`);
  }
  const kernel = pair(layer.kernel ?? 1);
  const stride = pair(layer.stride ?? 1);
  const extra = pair(layer.outputPadding ?? 0);
  const padding = layer.padding ?? "same";
  const explicit = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  const along = (axis: 0 | 1) => {
    const size = axis === 0 ? height : width;
    const [k, s] = [kernel[axis], stride[axis]];
    const [before = 0, after = 0] = typeof explicit === "string" ? [] : explicit.slice(2 * axis);
    if (kind === "conv2d") {
      if (padding === "same") return same(size, Math.ceil(size / s), k, s);
      return { size: Math.floor((size + before + after - k) / s) + 1, before, after };
    }
    if (padding === "same" && extra[axis] === 0) return { ...same(size * s, size, k, s), size: size * s };
    if (padding === "same") throw new Error(`${path}: outputPadding needs numeric padding`);
    if (padding === "valid") return { size: (size - 1) * s + Math.max(k, s) + extra[axis], before, after };
    return { size: (size - 1) * s + k - before - after + extra[axis], before, after };
  };
  const [rows, columns] = [along(0), along(1)];
  return {
    kind,
    path,
    from: [height, width, channels],
    to: [rows.size, columns.size, layer.filters ?? 0],
    kernel,
    stride,
    padding: [rows.before, rows.after, columns.before, columns.after],
    named: typeof explicit === "string" ? explicit : null,
    activation,
  };
}

/** TensorFlow's "same" for a large image of `large` pixels and a small one of `small`: an odd pixel goes at the end. */
function same(large: number, small: number, kernel: number, stride: number) {
  const total = Math.max((small - 1) * stride + kernel - large, 0);
  const before = Math.floor(total / 2);
  return { size: small, before, after: total - before };
}

/** Every tensor in the model's saved weights, with its shape in Keras's layout. */
export function weightShapes(model: ModelSteps): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const step of [...model.encoder, model.mean, model.logVariance, ...model.decoder]) {
    if (step.kind === "reshape") continue;
    const [inputs, outputs] = step.kind === "dense" ? [step.inputs, step.outputs] : [step.from[2], step.to[2]];
    const weight =
      step.kind === "dense"
        ? [inputs, outputs]
        : [...step.kernel, ...(step.kind === "conv2d" ? [inputs, outputs] : [outputs, inputs])];
    shapes.set(`${step.path}.weight`, weight);
    shapes.set(`${step.path}.bias`, [outputs]);
  }
  return shapes;
}
