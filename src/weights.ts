// A model's weights on the host: how they begin, and how the padded flat buffer and the saved tensors map to each
// other. Pure.
import { WebvaeError } from "./errors.js";
import { RandomSequence, Stream } from "./random.js";
import { asFloat32, type NamedTensor, type SafetensorsFile } from "./safetensors.js";
import { memberOffsets, padTo4, size } from "./tensor.js";
import type { Model, Parameter } from "./vae.js";

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
    if (bound === 0) return;
    const random = new RandomSequence(seed, Stream.initialisation, index);
    forEachValue(model, parameter, (at) => (flat[at] = (2 * random.uniform() - 1) * bound));
  });
  return flat;
}

function initialBound({ kind, fanIn, fanOut }: Parameter, preset: Initialisation): number {
  if (kind === "log_sigma") return 0;
  if (preset === "torch") return 1 / Math.sqrt(fanIn);
  return kind === "weight" ? Math.sqrt(6 / (fanIn + fanOut)) : 0;
}

/** Calls `visit` with the place in the flat buffer of each value, head by head, and the value's place in its file. */
function forEachValue(
  model: Model,
  { tensor, kind, files }: Parameter,
  visit: (at: number, file: number, index: number) => void,
): void {
  const start = memberOffsets(model.params).get(tensor.name) ?? 0;
  const rows = kind === "weight" ? (tensor.shape[0] ?? 1) : 1;
  const columns = tensor.shape.at(-1) ?? 1;
  const stride = padTo4(columns);
  for (let file = 0; file < files.length; file++) {
    for (let row = 0; row < rows; row++) {
      const from = start + (row * files.length + file) * stride;
      for (let column = 0; column < columns; column++) visit(from + column, file, row * columns + column);
    }
  }
}

/** The saved form of `flat` (weights, or a moment of them): unpadded, with `prefix` before each name. */
export function toTensors(model: Model, flat: Float32Array, prefix = ""): NamedTensor[] {
  return model.parameters.flatMap((parameter) => {
    const data = parameter.files.map(({ shape }) => new Float32Array(size(shape)));
    forEachValue(model, parameter, (at, file, index) => (data[file]![index] = flat[at]!));
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
export function fromTensors(model: Model, file: SafetensorsFile, prefix = ""): Float32Array<ArrayBuffer> {
  // All shapes first: a small file that claims a huge model must not make us allocate one.
  for (const { name, shape } of model.parameters.flatMap(({ files }) => files)) {
    const saved = file.tensors.get(prefix + name);
    if (!saved) throw new WebvaeError("SPEC_MISMATCH", `the file has no tensor ${prefix + name} [${shape.join(", ")}]`);
    if (String(saved.shape) !== String(shape)) {
      throw new WebvaeError(
        "SPEC_MISMATCH",
        `${prefix + name} has shape [${saved.shape.join(", ")}] in the file; the model needs [${shape.join(", ")}]`,
      );
    }
  }
  const flat = new Float32Array(size(model.params.storage));
  for (const parameter of model.parameters) {
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
    forEachValue(model, parameter, (at, index, place) => (flat[at] = data[index]![place]!));
  }
  return flat;
}
