// Reading and writing safetensors files: eight bytes of header length, a JSON header, the tensors' bytes. The reader
// trusts nothing: every length is checked before it is used.
import { WebvaeError, type ErrorCode } from "./errors.js";
import { fromHalf } from "./half.js";
import { invalid, loneSurrogate, maxHeaderBytes, metadataKey, quote, readHeader } from "./safetensors_header.js";

/** Bytes per element. */
const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type Dtype = keyof typeof dtypeBytes;

/** `data` holds the little-endian elements, row-major: product(shape) x bytes per element. It may be misaligned. */
export interface Tensor {
  dtype: Dtype;
  shape: number[];
  data: Uint8Array;
}

/** The writer's input: `data` is any view of product(shape) x bytes per element bytes, such as a Float32Array. */
export interface NamedTensor {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  data: ArrayBufferView;
}

export interface SafetensorsFile {
  /** In the order of their data, which are views of the given bytes, not copies. */
  tensors: Map<string, Tensor>;
  metadata: Map<string, string>;
}

const describe = (shape: readonly number[], dtype: string): string =>
  `[${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}] of ${dtype}`;

/** A tensor's size in bytes; a product beyond 2^53 would be rounded, so it is rejected. */
function byteSize(name: string, dtype: string, shape: readonly number[], code: ErrorCode): number {
  // Object.hasOwn, so that a dtype called "toString" is unknown too.
  if (!Object.hasOwn(dtypeBytes, dtype)) {
    throw new WebvaeError(code, `Tensor ${quote(name)} has the unknown dtype ${quote(dtype)}.`);
  }
  let bytes: number = dtypeBytes[dtype as Dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(bytes)) {
      throw new WebvaeError(code, `Tensor ${quote(name)} has an impossible shape: ${describe(shape, dtype)}.`);
    }
  }
  return bytes;
}

/**
 * Reads a whole file in memory. Nothing is copied: the tensors' data are views of `bytes`.
 * @throws WebvaeError INVALID_FILE for anything but a valid file, naming the tensor and the numbers.
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { entries, metadata, dataStart } = readHeader(bytes);
  // Sorted, each tensor must start where the one before it ended, so that every byte belongs to exactly one.
  entries.sort((a, b) => a.offsets[0]! - b.offsets[0]! || a.offsets[1]! - b.offsets[1]!);
  const dataLength = bytes.length - dataStart;
  const tensors = new Map<string, Tensor>();
  let end = 0;
  for (const { name, dtype, shape, offsets } of entries) {
    const [from, to] = offsets as [number, number];
    const size = byteSize(name, dtype, shape, "INVALID_FILE");
    if (from !== end) {
      invalid(`tensor ${quote(name)} starts at byte ${from} of the data, not ${end}: a gap or an overlap`);
    }
    if (to - from !== size) {
      invalid(`tensor ${quote(name)} spans bytes ${from} to ${to}, but ${describe(shape, dtype)} takes ${size}`);
    }
    if (to > dataLength) invalid(`tensor ${quote(name)} ends at byte ${to} of the data, which has ${dataLength}`);
    // Not bytes.subarray, which returns a Buffer for a Node Buffer, whose slice() does not copy.
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataStart + from, size);
    tensors.set(name, { dtype: dtype as Dtype, shape, data });
    end = to;
  }
  if (end !== dataLength) invalid(`${dataLength - end} bytes follow the last tensor`);
  return { tensors, metadata };
}

/**
 * The bytes of a file. Tensors are ordered by descending element size, then by name, and metadata by key, so that the
 * same weights give the same bytes whatever their order here, and every tensor is aligned to its element size.
 * @throws WebvaeError INVALID_DATA if a name is reserved or used twice, or a size does not match its shape.
 */
export function writeSafetensors(
  tensors: Iterable<NamedTensor>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array<ArrayBuffer> {
  const refuse = (message: string): never => {
    throw new WebvaeError("INVALID_DATA", message);
  };
  const names = new Set<string>([metadataKey]);
  const sorted = [...tensors].map((tensor) => {
    const { name, dtype, shape, data } = tensor;
    if (names.has(name)) refuse(`A tensor cannot be called ${quote(name)}: that name is taken.`);
    names.add(name);
    const size = byteSize(name, dtype, shape, "INVALID_DATA");
    if (data.byteLength !== size) {
      refuse(`Tensor ${quote(name)}: ${describe(shape, dtype)} takes ${size} bytes, not ${data.byteLength}.`);
    }
    return { ...tensor, size };
  });
  // By UTF-16 code units, since a locale's order would differ between machines.
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  sorted.sort((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype] || byText(a.name, b.name));

  const unique = new Map(metadata);
  if ([...names, ...unique.keys(), ...unique.values()].some((text) => loneSurrogate.test(text))) {
    refuse("A name or metadata string holds half a character, which UTF-8 cannot express.");
  }

  // Joined by hand, because JSON.stringify would lose a key `__proto__` in an object literal.
  const members = [...unique]
    .sort(([a], [b]) => byText(a, b))
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const header = members.length > 0 ? [`"${metadataKey}":{${members.join(",")}}`] : [];
  let end = 0;
  for (const { name, dtype, shape, size } of sorted) {
    const info = JSON.stringify({ dtype, shape, data_offsets: [end, (end += size)] });
    header.push(`${JSON.stringify(name)}:${info}`);
  }
  const json = `{${header.join(",")}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > maxHeaderBytes) refuse(`The header would take ${padded} bytes, more than ${maxHeaderBytes}.`);
  const bytes = new Uint8Array(8 + padded + end);
  new DataView(bytes.buffer).setUint32(0, padded, true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + padded);
  let at = 8 + padded;
  for (const { data, size } of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, size), at);
    at += size;
  }
  return bytes;
}

/**
 * The values of an F32 or F16 tensor in a new array, since a file's tensors may start at any byte.
 * Every platform with WebGPU is little-endian, like the file.
 * @throws WebvaeError INVALID_FILE for another dtype, under the `name` given.
 */
export function asFloat32(tensor: Tensor, name = ""): Float32Array<ArrayBuffer> {
  const { buffer } = new Uint8Array(tensor.data);
  if (tensor.dtype === "F16") return fromHalf(new Uint16Array(buffer));
  if (tensor.dtype !== "F32") invalid(`tensor ${quote(name)} must be F32 or F16, not ${tensor.dtype}`);
  return new Float32Array(buffer);
}
