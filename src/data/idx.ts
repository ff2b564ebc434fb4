// The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist/): two zero bytes, a type, the number of
// dimensions, the dimensions as big-endian 32-bit numbers, then the values. Files come from anywhere, so every
// length is checked against the bytes at hand before it is used.

import { WebvaeError } from "../errors.js";
import { product } from "../checks.js";

export interface IdxArray {
  /** One size per dimension of the file, each at least 1. */
  shape: number[];
  /** prod(shape) values, row-major. They share memory with the input. */
  values: Uint8Array;
}

/** Where a file's values begin, and how many bytes they take. */
interface IdxHeader {
  shape: number[];
  start: number;
  size: number;
}

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
  const { shape, start, size } = headerOf(bytes, name);
  const available = bytes.length - start;
  const shown = shape.join("x");
  if (size > available) {
    throw invalid(name, `truncated: shape ${shown} takes ${size} bytes, ${available} follow the header`);
  }
  if (size !== available) throw invalid(name, `${available - size} bytes too many for shape ${shown}`);
  // Not subarray(), which returns a Buffer for a Node Buffer.
  return { shape, values: new Uint8Array(bytes.buffer, bytes.byteOffset + start, size) };
}

/** The length of the whole file in bytes, from its beginning. Throws INVALID_FILE. */
export function idxLength(head: Uint8Array, name: string): number {
  const { start, size } = headerOf(head, name);
  return start + size;
}

const invalid = (name: string, why: string) => new WebvaeError("INVALID_FILE", `${name}: ${why}.`);

function headerOf(bytes: Uint8Array, name: string): IdxHeader {
  const fail = (why: string) => invalid(name, why);
  if (bytes.length < 4) throw fail(`${bytes.length} bytes are too few for an IDX header`);
  const [zero0, zero1, type, rank] = bytes as unknown as [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0 || !(type in TYPE_NAMES)) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fail(`not an IDX file: it starts with ${magic}`);
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
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const length = view.getUint32(4 + 4 * axis);
    if (length === 0) throw fail(`dimension ${axis} is 0`);
    shape.push(length);
  }
  // A product beyond 2^53 is rounded, but cannot match the number of bytes anyway.
  return { shape, start: headerBytes, size: product(shape) };
}
