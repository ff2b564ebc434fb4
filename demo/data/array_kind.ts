// What kind of array a file holds, judged by its first bytes: enough to tell images from labels. The whole array is
// checked when it is read.

export interface ArrayKind {
  readonly format: "IDX" | "npy";
  /** As stated in the header; empty if it can't be determined. */
  readonly shape: readonly number[];
}

/** Covers the headers of both formats and the magic number of every kind of picture. */
const HEAD = 12_000;
/** The value types of IDX. */
const IDX_TYPES = [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e];

/** Reads an uncompressed IDX or npy file's header; undefined for any other file. */
export function arrayKind(head: Uint8Array): ArrayKind | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD));
  if (text.startsWith("\x93NUMPY")) {
    const sizes = /["']shape["']\s*:\s*\(([\d, L]*)\)/.exec(text)?.[1] ?? "";
    return {
      format: "npy",
      shape: sizes.split(",").flatMap((size) => (size.trim() ? [Number.parseInt(size, 10)] : [])),
    };
  }
  const [zero0, zero1, type = 0, rank = 0] = head;
  if (zero0 !== 0 || zero1 !== 0 || !IDX_TYPES.includes(type) || rank < 1 || rank > 4) return undefined;
  if (head.length < 4 + 4 * rank) return { format: "IDX", shape: [] };
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return { format: "IDX", shape: Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)) };
}

/** The first bytes of a file, decompressed if they are gzip; none if it can't be read. */
export async function headOf(file: Blob): Promise<Uint8Array> {
  try {
    const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    if (head[0] !== 0x1f || head[1] !== 0x8b) return head;
    return await beginning(file.stream().pipeThrough(new DecompressionStream("gzip")));
  } catch {
    return new Uint8Array();
  }
}

async function beginning(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = stream.getReader();
  const head = new Uint8Array(HEAD);
  let length = 0;
  try {
    while (length < HEAD) {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(0, HEAD - length);
      head.set(part, length);
      length += part.length;
    }
  } catch {
    // Damaged further on: the bytes before it reveal the kind, and reading the file will report the damage.
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return head.subarray(0, length);
}
