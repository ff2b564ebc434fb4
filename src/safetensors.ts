// Reading and writing safetensors files: eight bytes of header length, a JSON header, the tensors' bytes.
// Files come from anywhere, so the reader trusts nothing: every length is checked before it is used, and the header has
// its own parser with exactly its grammar, because JSON.parse hides duplicate keys and mishandles `__proto__`.

import type { ErrorCode } from "./errors.js";

/** An error in a file. model_files.ts, which loads this file on demand, turns it into a WebvaeError. */
export class FileFault extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

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

const metadataKey = "__metadata__";
/** The format's own limit, which keeps a forged length from costing memory. */
const maxHeaderBytes = 100_000_000;
/** Limits far above the counts in any file of weights, so that a small file cannot cost seconds. */
const most = { tensors: 20_000, metadata: 1_000, dimensions: 32 } as const;
const loneSurrogate = /\p{Surrogate}/u;

function invalid(message: string): never {
  throw new FileFault("INVALID_FILE", `Not a valid safetensors file: ${message}.`);
}

/** A name from a file, shortened and quoted for display. */
const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

const describe = (shape: readonly number[], dtype: string): string =>
  `[${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}] of ${dtype}`;

/** A tensor's size in bytes; a product beyond 2^53 would be rounded, so it is rejected. */
function byteSize(name: string, dtype: string, shape: readonly number[], code: ErrorCode): number {
  // Object.hasOwn, so that a dtype called "toString" is unknown too.
  if (!Object.hasOwn(dtypeBytes, dtype)) {
    throw new FileFault(code, `Tensor ${quote(name)} has the unknown dtype ${quote(dtype)}.`);
  }
  let bytes: number = dtypeBytes[dtype as Dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(bytes)) {
      throw new FileFault(code, `Tensor ${quote(name)} has an impossible shape: ${describe(shape, dtype)}.`);
    }
  }
  return bytes;
}

/** Scans the header text. Every method skips whitespace before what it reads. */
class HeaderScanner {
  #at = 0;
  constructor(private readonly text: string) {}

  #peek(): string {
    for (; ; this.#at++) {
      const sign = this.text[this.#at] ?? "";
      if (sign !== " " && sign !== "\n" && sign !== "\r" && sign !== "\t") return sign;
    }
  }

  #take(token: string): boolean {
    const found = this.#peek() === token;
    if (found) this.#at++;
    return found;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail(`"${token}"`);
  }

  #fail(expected: string): never {
    invalid(`at character ${this.#at} of the header, expected ${expected}`);
  }

  string(): string {
    if (this.#peek() !== '"') this.#fail("a string");
    const start = this.#at++;
    // A loop rather than a regular expression, which would overflow the stack on strings of megabytes.
    while (this.#at < this.text.length && this.text[this.#at] !== '"') this.#at += this.text[this.#at] === "\\" ? 2 : 1;
    const literal = this.text.slice(start, ++this.#at);
    let value: string;
    try {
      value = JSON.parse(literal) as string;
    } catch {
      this.#at = start;
      return this.#fail("a well-formed string");
    }
    if (loneSurrogate.test(value)) invalid(`the string at character ${start} of the header holds half a character`);
    return value;
  }

  /** An integer >= 0 in plain digits: JSON would also allow 1.0, 1e3 and -0. */
  integer(): number {
    this.#peek();
    const digits = /(?:0|[1-9]\d{0,15})(?![\d.eE])/y;
    digits.lastIndex = this.#at;
    const value = Number(digits.exec(this.text)?.[0] ?? NaN);
    if (!Number.isSafeInteger(value)) this.#fail("an integer from 0 to 2^53 - 1");
    this.#at = digits.lastIndex;
    return value;
  }

  /** A list of integers, at most as many as a tensor may have dimensions. */
  integers(): number[] {
    const values: number[] = [];
    this.#expect("[");
    if (this.#take("]")) return values;
    do {
      if (values.length === most.dimensions) this.#fail(`a list of at most ${most.dimensions} numbers`);
      values.push(this.integer());
    } while (this.#take(","));
    this.#expect("]");
    return values;
  }

  /** Calls `member` for each of at most `count` keys, to read its value. `where` names the object in errors. */
  object(where: string, count: number, member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#expect("{");
    if (this.#take("}")) return;
    do {
      const key = this.string();
      if (keys.has(key)) invalid(`${where} has the key ${quote(key)} twice`);
      keys.add(key);
      if (keys.size > count) invalid(`${where} has more than ${count} keys`);
      this.#expect(":");
      member(key);
    } while (this.#take(","));
    this.#expect("}");
  }

  end(): void {
    if (this.#peek() !== "") this.#fail("the end");
  }
}

interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  offsets: number[];
}

function readEntry(scanner: HeaderScanner, name: string): Entry {
  const entry: Partial<Entry> = {};
  scanner.object(`tensor ${quote(name)}`, 3, (key) => {
    if (key === "dtype") entry.dtype = scanner.string();
    else if (key === "shape") entry.shape = scanner.integers();
    else if (key === "data_offsets") entry.offsets = scanner.integers();
    else invalid(`tensor ${quote(name)} has the unknown key ${quote(key)}`);
  });
  const { dtype, shape, offsets } = entry;
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return invalid(`tensor ${quote(name)} needs a dtype, a shape and data_offsets`);
  }
  if (offsets.length !== 2) invalid(`tensor ${quote(name)} has ${offsets.length} data_offsets, not 2`);
  return { name, dtype, shape, offsets };
}

/** The header's length, checked against the limit and the file before anything is allocated. */
function headerLength(bytes: Uint8Array): number {
  if (bytes.length < 8) invalid(`it has ${bytes.length} bytes, but the header's length alone takes 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderBytes) invalid(`its header claims ${length} bytes, more than ${maxHeaderBytes}`);
  if (length > bytes.length - 8) {
    invalid(
      `its header claims ${length} bytes, but ${bytes.length - 8} follow: the file is truncated or of another kind`,
    );
  }
  if (bytes[8] !== 0x7b || length === 0) invalid(`its header does not start with "{"`);
  return length;
}

/**
 * Reads a whole file in memory. Nothing is copied: the tensors' data are views of `bytes`.
 * @throws FileFault INVALID_FILE for anything but a valid file, naming the tensor and the numbers.
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const dataStart = 8 + headerLength(bytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataStart));
  } catch {
    return invalid("its header is not UTF-8");
  }

  const scanner = new HeaderScanner(text);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  // One more for the key of the metadata.
  scanner.object("the header", most.tensors + 1, (name) => {
    if (name === metadataKey) scanner.object(metadataKey, most.metadata, (key) => metadata.set(key, scanner.string()));
    else entries.push(readEntry(scanner, name));
  });
  scanner.end();

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
 * @throws FileFault INVALID_DATA if a name is reserved or used twice, or a size does not match its shape.
 */
export function writeSafetensors(
  tensors: Iterable<NamedTensor>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array<ArrayBuffer> {
  const refuse = (message: string): never => {
    throw new FileFault("INVALID_DATA", message);
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
 * The values of an F32 tensor in a new array, since a file's tensors may start at any byte.
 * Every platform with WebGPU is little-endian, like the file.
 * @throws FileFault INVALID_FILE for another dtype, under the `name` given.
 */
export function asFloat32(tensor: Tensor, name = ""): Float32Array<ArrayBuffer> {
  if (tensor.dtype !== "F32") invalid(`tensor ${quote(name)} must be F32, not ${tensor.dtype}`);
  return new Float32Array(new Uint8Array(tensor.data).buffer);
}
