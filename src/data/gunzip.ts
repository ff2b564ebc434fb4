// Files that may be gzipped. A megabyte of gzip can decompress to a gigabyte, so the file's header is decompressed
// first: it tells the length of the whole file, for which memory is allocated once.

import { WebvaeError } from "../errors.js";

/** Well above the largest published set of this kind (EMNIST by class, 547 MB). */
const MOST_BYTES = 2 ** 30;
/** Enough for the header of every format read here. */
const HEAD_BYTES = 12_288;
/** No byte of deflate data decompresses to more bytes than this. */
const MOST_RATIO = 1032;

/**
 * `bytes`, decompressed if they are gzip (magic 1f 8b). `lengthOf` returns the length in bytes of a decompressed file,
 * given its beginning, or throws. `bytes` are read before this returns a promise. Throws INVALID_FILE; if the length
 * differs from gzip's own count of bytes, or exceeds a gigabyte, before decompressing the rest.
 */
export async function gunzipIfNeeded(
  bytes: Uint8Array,
  name: string,
  lengthOf: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const fail = (why: string, cause?: unknown) => new WebvaeError("INVALID_FILE", `${name}: ${why}.`, { cause });
  const packed = bytes.length;
  const end = new DataView(bytes.buffer, bytes.byteOffset, packed);
  // gzip ends with the decompressed length modulo 2^32. In a truncated file these four bytes are something else.
  const count = packed < 18 ? 0 : end.getUint32(packed - 4, true);
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  let total = 0;
  const corrupt = (cause?: unknown) =>
    fail(`corrupt or truncated gzip (${packed} bytes in, ${total} bytes out)`, cause);
  const next = async (): Promise<Uint8Array | undefined> => {
    const { value } = await reader.read().catch((cause: unknown) => {
      throw corrupt(cause);
    });
    total += value?.length ?? 0;
    return value;
  };
  try {
    const chunks: Uint8Array[] = [];
    for (let chunk = await next(); chunk; chunk = total < HEAD_BYTES ? await next() : undefined) chunks.push(chunk);
    const length = lengthOf(joined(chunks, total));
    if (length > MOST_BYTES) throw fail(`${length} bytes decompressed; the limit is ${MOST_BYTES}`);
    if (length !== count || length > MOST_RATIO * packed) {
      throw fail(`corrupt or truncated gzip: its header is for ${length} bytes, but gzip says ${count}`);
    }
    if (total > length) throw corrupt();
    const whole = roomFor(length, fail);
    whole.set(joined(chunks, total));
    for (let at = total, chunk = await next(); chunk; at = total, chunk = await next()) {
      if (total > length) throw corrupt();
      whole.set(chunk, at);
    }
    if (total < length) throw corrupt();
    return whole;
  } finally {
    // The pipe may also reject while it is being cancelled.
    void reader.cancel().catch(() => undefined);
  }
}

function joined(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function roomFor(length: number, fail: (why: string, cause?: unknown) => WebvaeError): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw fail(`its ${length} bytes do not fit in memory`, cause);
  }
}
