// A model's weights on the host: how they begin, and how the padded flat buffer and the saved tensors map to each
// other. Pure.
import { WebvaeError } from "./errors.js";
import { RandomSequence, Stream } from "./random.js";
import { asFloat32, type NamedTensor, type SafetensorsFile } from "./safetensors.js";
import type { Model, Parameter } from "./parameters.js";
import { memberOffsets, size, type Tensor } from "./tensor.js";

/**
 * torch: weights and biases uniform in +-1/sqrt(fan_in), as PyTorch's linear layers begin. glorot: weights uniform in
 * +-sqrt(6/(fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16), biases 0.
 */
export type Initialisation = "torch" | "glorot";

/** The first weights, laid out as `model.params`. The same for the same seed on every machine. */
export function initialWeights(model: Model, seed: number, preset: Initialisation): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(size(model.params.storage));
  model.parameters.forEach((parameter, index) => {
    const bound = initialBound(parameter, preset);
    const random = new RandomSequence(seed, Stream.initialisation, index);
    if (bound > 0) forEachValue(model.params, parameter, (at) => (flat[at] = (2 * random.uniform() - 1) * bound));
    else if (parameter.kind === "gain") forEachValue(model.params, parameter, (at) => (flat[at] = 1));
  });
  return flat;
}

/** How far from 0 a parameter's values may begin. */
function initialBound({ kind, fanIn, fanOut }: Parameter, preset: Initialisation): number {
  if (kind !== "weight" && kind !== "bias") return 0;
  if (preset === "torch") return 1 / Math.sqrt(fanIn);
  return kind === "weight" ? Math.sqrt(6 / (fanIn + fanOut)) : 0;
}

/** The running statistics before the first step, laid out as `model.running`: means 0, variances 1. */
export function initialStatistics(model: Model): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(size(model.running.storage));
  for (const { tensor, kind } of model.statistics) {
    const start = memberOffsets(model.running).get(tensor.name) ?? 0;
    if (kind === "gain") flat.fill(1, start, start + size(tensor.shape));
  }
  return flat;
}

/** Calls `visit` with the place in the flat buffer of each value, head by head, and the value's place in its file. */
function forEachValue(
  flat: Tensor,
  { tensor: { name, shape, storage }, files }: Parameter,
  visit: (at: number, file: number, index: number) => void,
): void {
  const start = memberOffsets(flat).get(name) ?? 0;
  // Two heads lie side by side in the second-to-last size.
  const split = files.length > 1 ? shape.length - 2 : -1;
  const axes = [...shape.keys()].filter((axis) => axis !== split);
  const stride = (axis: number) => size(storage.slice(axis + 1));
  for (let file = 0; file < files.length; file++) {
    let index = 0;
    const walk = (depth: number, at: number): void => {
      const axis = axes[depth];
      if (axis === undefined) return visit(at, file, index++);
      for (let i = 0, step = stride(axis); i < (shape[axis] ?? 1); i++) walk(depth + 1, at + i * step);
    };
    walk(0, start + (split < 0 ? 0 : file * stride(split)));
  }
}

/** Parameters, and the flat tensor that holds them: the model's weights, or its running statistics. */
export interface Laid {
  readonly parameters: readonly Parameter[];
  readonly flat: Tensor;
}

export const weightsOf = ({ parameters, params: flat }: Model): Laid => ({ parameters, flat });
export const statisticsOf = ({ statistics: parameters, running: flat }: Model): Laid => ({ parameters, flat });

/** The saved form of `flat` (weights, or a moment of them): unpadded, with `prefix` before each name. */
export function toTensors(laid: Laid, flat: Float32Array, prefix = ""): NamedTensor[] {
  return laid.parameters.flatMap((parameter) => {
    const data = parameter.files.map(({ shape }) => new Float32Array(size(shape)));
    forEachValue(laid.flat, parameter, (at, file, index) => (data[file]![index] = flat[at]!));
    return parameter.files.map(({ name, shape }, file) => ({
      name: prefix + name,
      dtype: "F32" as const,
      shape,
      data: data[file]!,
    }));
  });
}

/**
 * The reverse of toTensors. Throws SPEC_MISMATCH where a tensor is missing or has another shape, and NON_FINITE where
 * it holds a NaN or an infinity.
 */
export function fromTensors(laid: Laid, file: SafetensorsFile, prefix = ""): Float32Array<ArrayBuffer> {
  // All shapes first: a small file that claims a huge model must not make us allocate one.
  for (const { name, shape } of laid.parameters.flatMap(({ files }) => files)) {
    const saved = file.tensors.get(prefix + name);
    if (!saved) throw new WebvaeError("SPEC_MISMATCH", `the file has no tensor ${prefix + name} [${shape.join(", ")}]`);
    if (String(saved.shape) !== String(shape)) {
      throw new WebvaeError(
        "SPEC_MISMATCH",
        `${prefix + name} has shape [${saved.shape.join(", ")}] in the file; the model needs [${shape.join(", ")}]`,
      );
    }
  }
  const flat = new Float32Array(size(laid.flat.storage));
  for (const parameter of laid.parameters) {
    const data = parameter.files.map(({ name }) => {
      const values = asFloat32(file.tensors.get(prefix + name)!, prefix + name);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new WebvaeError(
          "NON_FINITE",
          `${prefix + name} holds ${values[bad]} at place ${bad} of ${values.length}`,
        );
      }
      return values;
    });
    forEachValue(laid.flat, parameter, (at, index, place) => (flat[at] = data[index]![place]!));
  }
  return flat;
}
