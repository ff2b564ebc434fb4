// Converts between a tensor's mathematical values and its words in a buffer: padding and types.
import { fromHalf, toHalf } from "./half.js";
import { size, type Tensor } from "../../src/tensor.js";

type Kind = "f32" | "u32" | "bytes" | "f16";

/** All tensors contain f32 except for the data set's bytes, four to a word, its labels, and the flag that halts a run. */
function kind({ name }: Tensor, half = false): Kind {
  return name === "bytes" ? "bytes" : name === "health" || name === "labels" ? "u32" : half ? "f16" : "f32";
}

/** Bytes that the tensor takes in a buffer. */
export function storedBytes(tensor: Tensor, half = false): number {
  return (half ? 2 : 4) * size(tensor.storage);
}

const views = { f32: Float32Array, u32: Uint32Array, bytes: Uint8Array, f16: Uint16Array };

/** For each value of the tensor, its index in storage. */
export function places(tensor: Tensor): Float64Array {
  const storage = kind(tensor) === "bytes" ? [tensor.storage[0]!, tensor.storage[1]! * 4] : tensor.storage;
  const result = new Float64Array(size(tensor.shape));
  const index = tensor.shape.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = index.reduce((place, n, axis) => place * storage[axis]! + n, 0);
    for (let axis = index.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < tensor.shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return result;
}

/** The bytes of `values` with zeros for padding. */
export function toStorage(tensor: Tensor, values: Float64Array, half = false): Uint8Array<ArrayBuffer> {
  if (values.length !== size(tensor.shape)) {
    throw new Error(`${tensor.name} [${tensor.shape}] is given ${values.length} values`);
  }
  const bytes = new ArrayBuffer(storedBytes(tensor, half));
  const stored = new views[kind(tensor, half)](bytes);
  const convert = kind(tensor, half) === "f16" ? toHalf : (value: number) => value;
  places(tensor).forEach((place, i) => (stored[place] = convert(values[i]!)));
  return new Uint8Array(bytes);
}

/** The values of stored bytes, and the indices of nonzero padding. */
export function fromStorage(
  tensor: Tensor,
  bytes: Uint8Array,
  half = false,
): { values: Float64Array; dirty: number[] } {
  const stored = new views[kind(tensor, half)](bytes.slice().buffer);
  const convert = kind(tensor, half) === "f16" ? fromHalf : (value: number) => value;
  const padding = new Set(stored.keys());
  const values = new Float64Array(size(tensor.shape));
  places(tensor).forEach((place, i) => {
    values[i] = convert(stored[place]!);
    padding.delete(place);
  });
  return { values, dirty: [...padding].filter((place) => stored[place] !== 0) };
}
