// A model's tensors as they are saved: unpadded, in Keras's layouts, each under its own name.
import { WebvaeError } from "./errors.js";
import { toHalf } from "./half.js";
import { invalidOption } from "./options.js";
import type { Laid } from "./model_part.js";
import type { ModelPart } from "./part.js";
import { asFloat32, type NamedTensor, type SafetensorsFile } from "./safetensors.js";
import { size } from "./tensor.js";
import { forEachValue } from "./weights.js";

/** The saved form of `values`, laid out like `flat` (weights, or a moment of them), with `prefix` before each name. */
export function toTensors({ parameters, flat }: Laid, values: Float32Array, prefix = ""): NamedTensor[] {
  return parameters.flatMap((parameter) => {
    const data = parameter.files.map(({ shape }) => new Float32Array(size(shape)));
    forEachValue(flat, parameter, (at, file, index) => (data[file]![index] = values[at]!));
    return parameter.files.map(({ name, shape }, file) => ({
      name: prefix + name,
      dtype: "F32" as const,
      shape,
      data: data[file]!,
    }));
  });
}

/** An F32 tensor as F16, rounded. Throws INVALID_OPTION naming the first value that is beyond its range. */
export function halved({ name, shape, data }: NamedTensor): NamedTensor {
  const values = data as Float32Array;
  const bits = toHalf(values);
  // The exponent of infinities and NaN.
  const bad = bits.findIndex((half) => (half & 0x7c00) === 0x7c00);
  if (bad < 0) return { name, dtype: "F16", shape, data: bits };
  throw invalidOption(
    `save: "f16" cannot hold ${name}, whose value at index ${bad} of ${values.length} is ${values[bad]}; the largest f16 is 65504`,
  );
}

export const namedIn = ({ parameters }: Laid, prefix = "") =>
  parameters.flatMap(({ files }) => files.map(({ name, shape }) => ({ name: prefix + name, shape })));

/** The most tensors that one message names, because a file may contain thousands. */
const MOST_NAMED = 200;

/**
 * Throws SPEC_MISMATCH naming the tensors that the file lacks or has in another shape and, with `only`, those that are
 * not `wanted`, which are all of the model or of a part of it. Runs before anything is allocated, so that a small file cannot claim a huge model.
 */
export function checkTensors(
  file: SafetensorsFile,
  wanted: readonly { name: string; shape: readonly number[] }[],
  only?: "model" | ModelPart,
) {
  const list = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const names = new Set(wanted.map(({ name }) => name));
  const wrong = wanted.flatMap(({ name, shape }) => {
    const saved = file.tensors.get(name);
    if (!saved) return [`the file has no tensor ${name} ${list(shape)}`];
    const same = String(saved.shape) === String(shape);
    return same ? [] : [`${name} has shape ${list(saved.shape)} in the file; the model needs ${list(shape)}`];
  });
  for (const [name, { shape }] of only ? file.tensors : []) {
    if (!names.has(name)) wrong.push(`the ${only} has no tensor ${JSON.stringify(name.slice(0, 80))} ${list(shape)}`);
  }
  if (wrong.length === 0) return;
  const more = wrong.length > MOST_NAMED ? [`and ${wrong.length - MOST_NAMED} more such`] : [];
  throw new WebvaeError("SPEC_MISMATCH", [...wrong.slice(0, MOST_NAMED), ...more].join("; "));
}

/** The inverse of toTensors, for checked tensors. Throws NON_FINITE if one contains a NaN or an infinity. */
export function fromTensors({ parameters, flat }: Laid, file: SafetensorsFile, prefix = ""): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size(flat.storage));
  for (const parameter of parameters) {
    const data = parameter.files.map(({ name }) => {
      const saved = asFloat32(file.tensors.get(prefix + name)!, prefix + name);
      const bad = saved.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new WebvaeError("NON_FINITE", `${prefix + name} is ${saved[bad]} at index ${bad} of ${saved.length}`);
      }
      return saved;
    });
    forEachValue(flat, parameter, (at, index, place) => (values[at] = data[index]![place]!));
  }
  return values;
}
