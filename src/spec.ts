// A ModelSpec is plain JSON that says what a VAE is made of. This file checks one and works out every layer's shape.
import { WebvaeError, type ErrorCode } from "./errors.js";

export const activations = [
  "none",
  "relu",
  "leaky_relu",
  "elu",
  "silu",
  "gelu",
  "tanh",
  "sigmoid",
  "softplus",
] as const;
export type Activation = (typeof activations)[number];

export interface DenseLayer {
  readonly type: "dense";
  /** Number of outputs. The layer takes its input flattened. */
  readonly units: number;
  /** Default "none". */
  readonly activation?: Activation;
}
export interface FlattenLayer {
  readonly type: "flatten";
}
export interface ReshapeLayer {
  readonly type: "reshape";
  readonly shape: readonly number[];
}
export type Layer = DenseLayer | FlattenLayer | ReshapeLayer;

/** p(x|z). Bernoulli takes the decoder's outputs as logits and inputs in [0, 1]; Gaussian takes them as the mean. */
export type Likelihood =
  | "bernoulli"
  | {
      readonly type: "gaussian";
      /** The fixed variance, or "learned": one sigma for all, learned with the weights. */
      readonly variance: number | "learned";
    };

export interface ModelSpec {
  /** Shape of one example: [height, width, channels] or [features]. */
  readonly input: readonly number[];
  readonly encoder: readonly Layer[];
  /** Number of latent dimensions. The heads for their mean and log variance are linear and are added by the library. */
  readonly latent: number;
  readonly decoder: readonly Layer[];
  readonly likelihood: Likelihood;
}

/** A fully connected layer of `units` outputs. */
export function dense(units: number, options: { activation?: Activation } = {}): DenseLayer {
  return { type: "dense", units, ...options };
}
/** Makes an image a vector. */
export function flatten(): FlattenLayer {
  return { type: "flatten" };
}
/** Makes a vector an image. */
export function reshape(...shape: number[]): ReshapeLayer {
  return { type: "reshape", shape };
}

/** A layer with its shapes worked out. `path` is its place in the spec: "encoder.0". */
export interface ResolvedDense {
  readonly path: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
}

export interface ResolvedSpec {
  readonly spec: ModelSpec;
  /** Values in one example. */
  readonly inputSize: number;
  readonly encoder: readonly ResolvedDense[];
  /** Features that go into the heads. */
  readonly features: number;
  readonly decoder: readonly ResolvedDense[];
}

/** Above this many values a tensor cannot be addressed by any adapter; 2^30 floats are 4 GiB. */
const LARGEST = 2 ** 30;

/** @internal Throws INVALID_SPEC naming the place, what was found and what is allowed. */
export function resolveSpec(value: unknown): ResolvedSpec {
  const spec = objectAt(value, "the model spec", ["input", "encoder", "latent", "decoder", "likelihood"]);
  const input = shapeAt(spec.input, "input");
  const latent = countAt(spec.latent, "latent");
  const encoder = layersAt(spec.encoder, "encoder");
  const decoder = layersAt(spec.decoder, "decoder");
  const likelihood = likelihoodAt(spec.likelihood);

  const encoded = chain(encoder, "encoder", input);
  const features = product(encoded.shape);
  weightsAt("mean", features, 2 * latent);
  const decoded = chain(decoder, "decoder", [latent]);
  const inputSize = product(input);
  const same = decoded.shape.length === input.length && decoded.shape.every((n, i) => n === input[i]);
  const flat = decoded.shape.length === 1 && decoded.shape[0] === inputSize;
  if (!same && !flat) {
    invalid(`decoder: ends in shape ${show(decoded.shape)}, but the input's shape is ${show(input)}`);
  }
  const last = decoded.dense.at(-1);
  if (!last) invalid("decoder: needs at least one dense layer");
  if (likelihood === "bernoulli" && last.activation !== "none") {
    invalid(
      `${last.path}: the last layer's outputs are the Bernoulli's logits and can have no activation, found "${last.activation}"`,
    );
  }
  return {
    spec: { input, encoder, latent, decoder, likelihood },
    inputSize,
    encoder: encoded.dense,
    features,
    decoder: decoded.dense,
  };
}

function chain(layers: readonly Layer[], list: string, from: readonly number[]) {
  let shape = from;
  const dense: ResolvedDense[] = [];
  layers.forEach((layer, index) => {
    const path = `${list}.${index}`;
    if (layer.type === "dense") {
      const inputs = product(shape);
      weightsAt(path, inputs, layer.units);
      dense.push({ path, inputs, outputs: layer.units, activation: layer.activation ?? "none" });
      shape = [layer.units];
    } else if (layer.type === "flatten") {
      shape = [product(shape)];
    } else {
      if (product(layer.shape) !== product(shape)) {
        invalid(
          `${path} (reshape): cannot make shape ${show(layer.shape)} (${product(layer.shape)} values) of shape ` +
            `${show(shape)} (${product(shape)} values)`,
        );
      }
      shape = layer.shape;
    }
  });
  return { dense, shape };
}

function weightsAt(path: string, inputs: number, outputs: number): void {
  if (inputs * outputs > LARGEST) {
    invalid(`${path}: ${inputs} x ${outputs} weights are more than the ${LARGEST} that a buffer can hold`);
  }
}

function layersAt(value: unknown, place: string): Layer[] {
  if (!Array.isArray(value)) invalid(`${place}: expected an array of layers, found ${describe(value)}`);
  return value.map((item: unknown, index): Layer => {
    const path = `${place}.${index}`;
    const type = item !== null && typeof item === "object" ? (item as { type?: unknown }).type : undefined;
    switch (type) {
      case "dense": {
        const layer = objectAt(item, path, ["type", "units", "activation"]);
        const units = countAt(layer.units, `${path} (dense): units`);
        if (layer.activation === undefined) return { type, units };
        return { type, units, activation: oneOf(layer.activation, activations, `${path} (dense): activation`) };
      }
      case "flatten":
        objectAt(item, path, ["type"]);
        return { type };
      case "reshape":
        return { type, shape: shapeAt(objectAt(item, path, ["type", "shape"]).shape, `${path} (reshape): shape`) };
      default:
        invalid(`${path}: expected a layer of type "dense", "flatten" or "reshape", found ${describe(type ?? item)}`);
    }
  });
}

function likelihoodAt(value: unknown): Likelihood {
  if (value === "bernoulli") return value;
  if (value === null || typeof value !== "object") {
    invalid(`likelihood: expected "bernoulli" or { type: "gaussian", variance }, found ${describe(value)}`);
  }
  const { type, variance } = objectAt(value, "likelihood", ["type", "variance"]);
  oneOf(type, ["gaussian"] as const, "likelihood: type");
  if (variance === "learned") return { type: "gaussian", variance };
  if (typeof variance !== "number" || !Number.isFinite(variance) || variance < 1e-5 || variance > 1e10) {
    invalid(`likelihood: variance must be "learned" or a number from 1e-5 to 1e10, found ${describe(variance)}`);
  }
  return { type: "gaussian", variance };
}

/** @internal `value`, an object with no keys but `keys`. Throws `code` naming `place`. */
export function objectAt(
  value: unknown,
  place: string,
  keys: readonly string[],
  code?: ErrorCode,
): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    invalid(`${place}: expected an object, found ${describe(value)}`, code);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) invalid(`${place}: unknown key "${key}"; known are ${keys.join(", ")}`, code);
  }
  return value as Record<string, unknown>;
}

/** @internal */
export function shapeAt(value: unknown, place: string): number[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > 3) {
    invalid(`${place}: expected a shape of 1 to 3 sizes, found ${describe(value)}`);
  }
  const shape = value.map((n: unknown, i) => countAt(n, `${place}[${i}]`));
  if (product(shape) > LARGEST) invalid(`${place}: ${show(shape)} has more than ${LARGEST} values`);
  return shape;
}

function countAt(value: unknown, place: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > LARGEST) {
    invalid(`${place}: expected a whole number from 1 to ${LARGEST}, found ${describe(value)}`);
  }
  return value;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string): T {
  if (!allowed.includes(value as T)) {
    invalid(`${place}: expected one of ${allowed.join(", ")}, found ${describe(value)}`);
  }
  return value as T;
}

/** @internal A value from the caller, fit to be shown. */
export function describe(value: unknown): string {
  if (typeof value === "number" || value === undefined || value === null) return String(value);
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 80);
  } catch {
    return typeof value; // a bigint, or an object that holds itself
  }
}

/** @internal */
export const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);
const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function invalid(message: string, code: ErrorCode = "INVALID_SPEC"): never {
  throw new WebvaeError(code, message);
}
