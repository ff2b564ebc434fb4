// NumPy's file format for one array (numpy/lib/format.py, versions 1.0 to 3.0): a magic number, a version, the length
// of the header, the header as the text of a Python dict, then the values. Files come from anywhere, so the header is
// read with a grammar that accepts only its three keys, and every length is checked against the bytes at hand.

import { WebvaeError } from "../errors.js";
import { product } from "../checks.js";
import { fromHalf } from "../half.js";
import type { NumberArray } from "./rows.js";

export interface NpyArray {
  /** One size per dimension of the file, each at least 1; none for a single number. */
  shape: number[];
  /** NumPy's letter and the number of bytes per value: "u1", "f4". */
  type: NpyType;
  /**
   * prod(shape) values, row-major. f2 is widened to 32 bits, b1 becomes bytes. Others share memory with the input if
   * they are little-endian and aligned in it.
   */
  values: NumberArray | BigInt64Array | BigUint64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy's own limit for files that it does not trust; the headers it writes take about 120 bytes. */
const LONGEST_HEADER = 10_000;
const TYPES = {
  b1: Uint8Array,
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  f2: Uint16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
  u8: BigUint64Array,
  i8: BigInt64Array,
  f8: Float64Array,
} as const;
export type NpyType = keyof typeof TYPES;
/** Keyed by NumPy's letter for them. */
const KINDS: Record<string, string> = {
  b: "booleans",
  i: "signed integers",
  u: "unsigned integers",
  f: "floats",
  c: "complex numbers",
  S: "byte strings",
  U: "strings",
  V: "records",
  M: "dates",
  m: "time differences",
};

/** Whether the bytes begin like an npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Reads an uncompressed npy file of numbers or booleans in C order. Throws INVALID_FILE. */
export function readNpy(bytes: Uint8Array, options: { name?: string } = {}): NpyArray {
  const name = options.name ?? "npy file";
  const { shape, type, turned, start, size } = headerOf(bytes, name);
  const available = bytes.length - start;
  const shown = shape.join("x") || "()";
  if (size > available) {
    throw invalid(name, `truncated: shape ${shown} takes ${size} bytes, ${available} follow the header`);
  }
  if (size < available) throw invalid(name, `${available - size} bytes too many for shape ${shown}`);
  const raw = valuesAt(bytes, start, size, TYPES[type], turned);
  return { shape, type, values: type === "f2" ? fromHalf(raw as Uint16Array) : raw };
}

/** The length of the whole file in bytes, from its beginning. Throws INVALID_FILE. */
export function npyLength(head: Uint8Array, name: string): number {
  const { start, size } = headerOf(head, name);
  return start + size;
}

const invalid = (name: string, why: string) => new WebvaeError("INVALID_FILE", `${name}: ${why}.`);

/** A file's contents and their position: `size` bytes from `start`, big-endian if `turned`. Throws INVALID_FILE. */
function headerOf(bytes: Uint8Array, name: string) {
  const fail = (why: string) => invalid(name, why);
  if (!isNpy(bytes)) {
    const magic = Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fail(bytes.length === 0 ? "the file is empty" : `not an npy file: it starts with ${magic}`);
  }
  const [major, minor] = [bytes[6] ?? NaN, bytes[7] ?? NaN];
  if (bytes.length >= 8 && (major < 1 || major > 3 || minor !== 0)) {
    throw fail(`version ${major}.${minor}; only 1.0, 2.0 and 3.0 are supported`);
  }
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) throw fail(`truncated: ${bytes.length} bytes are too short for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > LONGEST_HEADER) {
    throw fail(`its header takes ${headerLength} bytes; the limit is ${LONGEST_HEADER}`);
  }
  const start = 8 + lengthBytes + headerLength;
  if (bytes.length < start) throw fail(`truncated: ${bytes.length} bytes, but the header ends at ${start}`);
  // Latin-1 in versions 1 and 2, UTF-8 in 3; they agree on everything read here.
  const text = String.fromCharCode(...bytes.subarray(start - headerLength, start));
  const { descr, fortranOrder, shape } = readHeader(text, fail);

  if (/^[<>|=]?O/.test(descr)) throw fail("it contains Python objects, which are never loaded");
  const [, order, type = ""] = /^([<>|])([biuf]\d)$/.exec(descr) ?? [];
  if (!Object.hasOwn(TYPES, type) || (order === "|" && !type.endsWith("1"))) {
    const what = KINDS[/^[<>|=]?([a-zA-Z])/.exec(descr)?.[1] ?? ""];
    throw fail(
      `values of type ${descr}${what ? ` (${what})` : ""}; only ${Object.keys(TYPES).join(", ")} are supported: ` +
        'save it with .astype("f4"), or .astype("u1") if bytes stand for value / 255',
    );
  }
  // For one dimension or a single number, both orders are the same.
  if (fortranOrder && shape.length > 1) {
    throw fail("it is in Fortran order; save it with numpy.ascontiguousarray()");
  }
  const empty = shape.indexOf(0);
  if (empty >= 0) throw fail(`dimension ${empty} is 0`);
  // A product beyond 2^53 is rounded, but cannot match the number of bytes anyway.
  const size = product(shape) * TYPES[type as NpyType].BYTES_PER_ELEMENT;
  return { shape, type: type as NpyType, turned: order === ">", start, size };
}

/** All platforms with WebGPU are little-endian; big-endian values are swapped in a copy. */
function valuesAt(
  bytes: Uint8Array,
  start: number,
  size: number,
  Values: (typeof TYPES)[NpyType],
  turned: boolean,
): NpyArray["values"] {
  const at = bytes.byteOffset + start;
  const width = Values.BYTES_PER_ELEMENT;
  if (at % width === 0 && (!turned || width === 1)) {
    // Not subarray(), which returns a Buffer for a Node Buffer.
    return new Values(bytes.buffer as ArrayBuffer, at, size / width);
  }
  const copy = new Uint8Array(bytes.subarray(start));
  if (turned) for (let i = 0; i < size; i += width) copy.subarray(i, i + width).reverse();
  return new Values(copy.buffer);
}

interface Header {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, spaces, and a newline at the end. */
function readHeader(text: string, fail: (why: string) => WebvaeError): Header {
  let at = 0;
  /** The match of `pattern` (sticky) after skipping spaces. */
  const next = (pattern: RegExp): string | undefined => {
    while (text[at] === " ") at++;
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at += found[0].length;
    return found?.[0];
  };
  const broken = (wanted: string) => fail(`its header is damaged: expected ${wanted} at character ${at}`);
  const take = (pattern: RegExp, wanted: string) => {
    const found = next(pattern);
    if (found === undefined) throw broken(wanted);
    return found;
  };
  const quoted = (wanted: string) =>
    take(/'[\x20-\x26\x28-\x5b\x5d-\x7e]*'|"[\x20\x21\x23-\x5b\x5d-\x7e]*"/y, wanted).slice(1, -1);

  const found: Partial<Header> = {};
  take(/\{/y, "{");
  while (next(/\}/y) === undefined) {
    const key = quoted("a key in quotes");
    take(/:/y, ":");
    if (key === "descr" && found.descr === undefined) {
      if (next(/\[/y)) throw fail("it contains records with several fields; save a single field");
      found.descr = quoted("a type in quotes");
    } else if (key === "fortran_order" && found.fortranOrder === undefined) {
      found.fortranOrder = take(/True|False/y, "True or False") === "True";
    } else if (key === "shape" && found.shape === undefined) {
      found.shape = readShape(next, take);
    } else {
      throw fail(`its header is damaged: the key ${JSON.stringify(key).slice(0, 40)} is unknown or duplicate`);
    }
    if (next(/,/y) === undefined && text[at] !== "}") throw broken(", or }");
  }
  if (!/^ *\n$/.test(text.slice(at))) throw broken("spaces and a newline at its end");
  const { descr, fortranOrder, shape } = found;
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw fail("its header lacks one of descr, fortran_order and shape");
  }
  return { descr, fortranOrder, shape };
}

/** `()`, `(3,)` or `(3, 4)`, but not `(3)`, which is not a tuple; Python 2 wrote `(3L, 4L)`. */
function readShape(
  next: (pattern: RegExp) => string | undefined,
  take: (pattern: RegExp, wanted: string) => string,
): number[] {
  const shape: number[] = [];
  take(/\(/y, "a shape in parentheses");
  for (;;) {
    if (next(/\)/y) !== undefined) return shape;
    // 15 digits are exact as a number, and no file has that many values.
    shape.push(Number.parseInt(take(/(0|[1-9]\d{0,14})L?(?=[ ,)])/y, "a size"), 10));
    if (shape.length === 1) take(/,/y, "a comma");
    else if (next(/,/y) === undefined) {
      take(/\)/y, ", or )");
      return shape;
    }
  }
}
