// NumPy's file format for one array (numpy/lib/format.py, versions 1.0 to 3.0): a magic, a version, the length of a
// header, the header as the text of a Python dict, then the values. Files come from anywhere, so the header is read by
// a grammar that knows these three keys and nothing else, and every length is checked against the bytes at hand.

import { WebvaeError } from "../errors.js";
import { product } from "../checks.js";

export interface NpyArray {
  /** As many sizes as the file has dimensions, each at least 1; none for a single number. */
  shape: number[];
  /** prod(shape) values, row-major. They share memory with the input where they are aligned in it. */
  values: Uint8Array | Float32Array | Float64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy's own limit of what it reads from files that it does not trust; what it writes takes about 120. */
const LONGEST_HEADER = 10_000;
const ITEM_BYTES = new Map([
  ["|u1", 1],
  ["<u1", 1],
  ["<f4", 4],
  ["<f8", 8],
]);
/** By the letter that NumPy has for them. */
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

/** Whether the bytes begin as an npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Reads an uncompressed npy file of u1, f4 or f8 in C order. Throws INVALID_FILE. */
export function readNpy(bytes: Uint8Array, options: { name?: string } = {}): NpyArray {
  const name = options.name ?? "npy file";
  const fail = (why: string) => new WebvaeError("INVALID_FILE", `${name}: ${why}.`);
  if (!isNpy(bytes)) {
    const magic = Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fail(bytes.length === 0 ? "the file is empty" : `not an npy file, it starts with ${magic}`);
  }
  const [major, minor] = [bytes[6] ?? NaN, bytes[7] ?? NaN];
  if (bytes.length >= 8 && (major < 1 || major > 3 || minor !== 0)) {
    throw fail(`version ${major}.${minor}; only 1.0, 2.0 and 3.0 are known`);
  }
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) throw fail(`truncated: ${bytes.length} bytes are too short for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > LONGEST_HEADER) {
    throw fail(`its header takes ${headerLength} bytes; at most ${LONGEST_HEADER} are read`);
  }
  const start = 8 + lengthBytes + headerLength;
  if (bytes.length < start) throw fail(`truncated: ${bytes.length} bytes, but the header ends at ${start}`);
  // Latin-1 in versions 1 and 2, UTF-8 in 3; nothing that is read here differs between them.
  const text = String.fromCharCode(...bytes.subarray(start - headerLength, start));
  const { descr, fortranOrder, shape } = readHeader(text, fail);

  if (/^[<>|=]?O/.test(descr)) throw fail("it holds Python objects, which are never loaded from files");
  const itemBytes = ITEM_BYTES.get(descr);
  if (itemBytes === undefined) {
    const [, order = "", kind = ""] = /^([<>|=]?)([a-zA-Z])/.exec(descr) ?? [];
    const what = [KINDS[kind], order === ">" && "big endian"].filter(Boolean).join(", ");
    throw fail(
      `values of type ${descr}${what && ` (${what})`}; only u1, f4 and f8, little endian, are supported: ` +
        'save it with .astype("<f4") or .astype("u1")',
    );
  }
  // Of one dimension both orders are the same, and so they are of a single number.
  if (fortranOrder && shape.length > 1) {
    throw fail("it is in Fortran order; save it with numpy.ascontiguousarray()");
  }
  const empty = shape.indexOf(0);
  if (empty >= 0) throw fail(`dimension ${empty} is 0`);
  const available = bytes.length - start;
  const shown = shape.join("x") || "()";
  // A product past 2^53 is rounded, but is no number of bytes at hand either.
  const size = product(shape) * itemBytes;
  if (size > available) throw fail(`truncated: shape ${shown} takes ${size} bytes, ${available} follow the header`);
  if (size < available) throw fail(`${available - size} bytes too many for shape ${shown}`);
  return { shape, values: valuesAt(bytes, start, size, itemBytes) };
}

/** Little endian, as is every platform that has WebGPU. */
function valuesAt(bytes: Uint8Array, start: number, size: number, itemBytes: number): NpyArray["values"] {
  const at = bytes.byteOffset + start;
  // Not subarray(): of a Node Buffer it would give a Buffer.
  if (itemBytes === 1) return new Uint8Array(bytes.buffer, at, size);
  const aligned = at % itemBytes === 0;
  const buffer = aligned ? bytes.buffer : new Uint8Array(bytes.subarray(start)).buffer;
  const Floats = itemBytes === 4 ? Float32Array : Float64Array;
  return new Floats(buffer as ArrayBuffer, aligned ? at : 0, size / itemBytes);
}

interface Header {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, spaces, and a newline at the end. */
function readHeader(text: string, fail: (why: string) => WebvaeError): Header {
  let at = 0;
  /** What `pattern` (sticky) finds after spaces, which it consumes. */
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
      if (next(/\[/y)) throw fail("it holds records of several fields; save one field of it");
      found.descr = quoted("a type in quotes");
    } else if (key === "fortran_order" && found.fortranOrder === undefined) {
      found.fortranOrder = take(/True|False/y, "True or False") === "True";
    } else if (key === "shape" && found.shape === undefined) {
      found.shape = readShape(next, take);
    } else {
      throw fail(`its header is damaged: the key ${JSON.stringify(key).slice(0, 40)} is unknown or there twice`);
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

/** `()`, `(3,)` or `(3, 4)`, but not `(3)`, which is no tuple; Python 2 wrote `(3L, 4L)`. */
function readShape(
  next: (pattern: RegExp) => string | undefined,
  take: (pattern: RegExp, wanted: string) => string,
): number[] {
  const shape: number[] = [];
  take(/\(/y, "a shape in parentheses");
  for (;;) {
    if (next(/\)/y) !== undefined) return shape;
    // 15 digits are exact as a number, and more than any file has values.
    shape.push(Number.parseInt(take(/(0|[1-9]\d{0,14})L?(?=[ ,)])/y, "a size"), 10));
    if (shape.length === 1) take(/,/y, "a comma");
    else if (next(/,/y) === undefined) {
      take(/\)/y, ", or )");
      return shape;
    }
  }
}
