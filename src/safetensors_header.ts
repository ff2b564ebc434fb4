// The header of a safetensors file. Files come from anywhere, so nothing in it is trusted: its length is checked before
// it is used, and it has its own parser with exactly its grammar, because JSON.parse hides duplicate keys and mishandles
// `__proto__`.
import { WebvaeError } from "./errors.js";

export const metadataKey = "__metadata__";
/** The format's own limit, which keeps a forged length from costing memory. */
export const maxHeaderBytes = 100_000_000;
/** Limits far above the counts in any file of weights, so that a small file cannot cost seconds. */
const most = { tensors: 20_000, metadata: 1_000, dimensions: 32 } as const;
export const loneSurrogate = /\p{Surrogate}/u;

export function invalid(message: string): never {
  throw new WebvaeError("INVALID_FILE", `Not a valid safetensors file: ${message}.`);
}

/** A name from a file, shortened and quoted for display. */
export const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

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

export interface Entry {
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

export interface Header {
  /** In their order in the text. Neither names, dtypes nor offsets are checked against each other or the data. */
  readonly entries: Entry[];
  readonly metadata: Map<string, string>;
  /** Where the data begins in the file. */
  readonly dataStart: number;
}

/** @throws WebvaeError INVALID_FILE for anything but a well-formed header. */
export function readHeader(bytes: Uint8Array): Header {
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
  return { entries, metadata, dataStart };
}
