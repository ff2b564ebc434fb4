// The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist/): two zero bytes, a type, the number of
// dimensions, the dimensions as big-endian 32-bit numbers, then the values. Files come from anywhere, so every
// length is checked against the bytes at hand before it is used.

import { WebvaeError } from "../errors.js";
import { product } from "../checks.js";

export interface IdxArray {
  /** As many sizes as the file has dimensions, each at least 1. */
  shape: number[];
  /** prod(shape) values, row-major. They share memory with the input. */
  values: Uint8Array;
}

/** Well above the largest published set of this kind (EMNIST by class, 547 MB); stops a decompression bomb. */
export const MAX_FILE_BYTES = 1 << 30;

const UBYTE = 0x08;
const TYPE_NAMES: Record<number, string> = {
  [UBYTE]: "unsigned byte",
  0x09: "signed byte",
  0x0b: "short",
  0x0c: "int",
  0x0d: "float",
  0x0e: "double",
};

/** Reads an uncompressed IDX file of unsigned bytes. Throws INVALID_FILE. */
export function readIdx(bytes: Uint8Array, options: { name?: string } = {}): IdxArray {
  const name = options.name ?? "IDX file";
  const fail = (why: string) => new WebvaeError("INVALID_FILE", `${name}: ${why}.`);
  if (bytes.length < 4) throw fail(`${bytes.length} bytes is too short for an IDX header`);
  const [zero0, zero1, type, rank] = bytes as unknown as [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0 || !(type in TYPE_NAMES)) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fail(`not an IDX file, it starts with ${magic}`);
  }
  if (type !== UBYTE) {
    throw fail(`values of type ${TYPE_NAMES[type]}; only unsigned byte is supported`);
  }
  if (rank === 0) throw fail("it has no dimensions");
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) {
    throw fail(`truncated: ${bytes.length} bytes, but a header of ${rank} dimensions takes ${headerBytes}`);
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const available = bytes.length - headerBytes;
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const length = view.getUint32(4 + 4 * axis);
    if (length === 0) throw fail(`dimension ${axis} is 0`);
    shape.push(length);
  }
  // A product past 2^53 is rounded, but is no number of bytes at hand either.
  const size = product(shape);
  if (size > available) {
    throw fail(`truncated: shape ${shape.join("x")} takes ${size} bytes, ${available} follow the header`);
  }
  if (size !== available) {
    throw fail(`${available - size} bytes too many for shape ${shape.join("x")}`);
  }

  // Not subarray(): of a Node Buffer it would give a Buffer.
  return { shape, values: new Uint8Array(bytes.buffer, bytes.byteOffset + headerBytes, size) };
}

/**
 * `bytes` decompressed where they are gzip (by the magic 1f 8b), else as they are. Decompression stops as soon as
 * more than `maxBytes` come out, so a small file cannot fill the memory. Throws INVALID_FILE.
 */
export async function gunzipIfNeeded(
  bytes: Uint8Array,
  options: { maxBytes: number; name?: string },
): Promise<Uint8Array> {
  const { maxBytes, name = "file" } = options;
  const tooLarge = () => new WebvaeError("INVALID_FILE", `${name}: more than the ${maxBytes} bytes allowed.`);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    if (bytes.length > maxBytes) throw tooLarge();
    return bytes;
  }
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const step = await reader.read().catch((cause: unknown) => {
      throw new WebvaeError(
        "INVALID_FILE",
        `${name}: corrupt or truncated gzip (${bytes.length} bytes in, ${total} bytes out).`,
        { cause },
      );
    });
    if (step.done) return join(chunks, total);
    total += step.value.length;
    if (total > maxBytes) {
      // The pipe may report its own fault while being cancelled; the size is the fault that counts.
      await reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    chunks.push(step.value);
  }
}

/** The chunks in one array of `total` bytes. */
export function join(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
