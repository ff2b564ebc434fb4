// What kind of array a file holds, by its first bytes: enough to tell images from labels. Whoever reads the array checks
// all of it.

export interface ArrayKind {
  readonly format: "IDX" | "npy";
  /** As the header says; empty where it can't be told. */
  readonly shape: readonly number[];
}

/** Covers the header of both formats, and of every picture's kind its magic. */
const HEAD = 12_000;
/** Types of values that IDX knows. */
const IDX_TYPES = [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e];

/** Of an IDX or npy file, not packed; nothing for any other. */
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

/** The first bytes of a file, unpacked where they are gzip; none where it can't be read. */
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
    // Damaged further on: what came before tells the kind, and whoever reads the file tells the damage.
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return head.subarray(0, length);
}
