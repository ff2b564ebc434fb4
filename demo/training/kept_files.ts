// A model is saved in two files that are written alternately, so that if a write is cut off, the other still holds a
// whole model. A counter of writes tells which is newer, since clocks can be wrong. A checksum over everything tells
// whether a file is complete, since after a crash the length proves nothing.
import type { History } from "../protocol.js";

const names = ["autosave-a", "autosave-b"] as const;
const MAGIC = "webvae autosave 2";
/** A file is the SHA-256 of all that follows, the header's length as a u32, the header as JSON, and the model. */
const SUM_BYTES = 32;

export interface Header {
  readonly magic: typeof MAGIC;
  /** One more than in the previous file. */
  readonly generation: number;
  /** Milliseconds since 1970 by the clock at that time; only for display. */
  readonly savedAt: number;
  readonly title: string;
  readonly steps: number;
  readonly epochs: number;
  readonly hash: string;
  readonly ownFiles: boolean;
  readonly history: History;
}

export interface KeptFile {
  readonly header: Header;
  readonly model: Uint8Array<ArrayBuffer>;
}

/** The newest whole file, if any. */
export const newestFile = async (): Promise<KeptFile | undefined> => newest(await all())?.kept;

/** Saves a model next to the previous one. If the browser's storage throws, this does too; the previous one remains. */
export async function keepFile(header: Omit<Header, "magic" | "generation">, model: Uint8Array): Promise<void> {
  const files = await all();
  const before = newest(files);
  const { name } = files.find((file) => file !== before)!;
  const generation = (before?.kept.header.generation ?? 0) + 1;
  const text = new TextEncoder().encode(JSON.stringify({ magic: MAGIC, generation, ...header } satisfies Header));
  const rest = new Uint8Array(4 + text.length + model.length);
  new DataView(rest.buffer).setUint32(0, text.length, true);
  rest.set(text, 4);
  rest.set(model, 4 + text.length);
  const sum = await sumOf(rest);

  const folder = await navigator.storage.getDirectory();
  const handle = (await folder.getFileHandle(name, { create: true })) as WorkerFileHandle;
  const access = await handle.createSyncAccessHandle();
  const write = (bytes: Uint8Array<ArrayBuffer>, at: number) => {
    const written = access.write(bytes, { at });
    if (written < bytes.length) throw new DOMException("the file is truncated", "QuotaExceededError");
  };
  try {
    access.truncate(0);
    write(rest, SUM_BYTES);
    access.flush();
    // Last, since a file without its checksum doesn't count.
    write(sum, 0);
    access.flush();
  } catch (error) {
    access.truncate(0);
    throw error;
  } finally {
    access.close();
  }
}

export async function discardFiles(): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  for (const name of names) await folder.removeEntry(name).catch(() => {});
}

/** Exists only in workers, so the DOM's types lack it. */
interface SyncAccessHandle {
  write(bytes: BufferSource, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

interface Slot {
  readonly name: string;
  readonly kept: KeptFile | undefined;
}
type Filled = Slot & { readonly kept: KeptFile };

const all = (): Promise<Slot[]> => Promise.all(names.map(async (name) => ({ name, kept: await read(name) })));

function newest(slots: readonly Slot[]): Filled | undefined {
  const filled = slots.filter((slot): slot is Filled => slot.kept !== undefined);
  return filled.sort((a, b) => b.kept.header.generation - a.kept.header.generation)[0];
}

/** Undefined if there is no such file, or it is not whole, or another version of this page wrote it. */
async function read(name: string): Promise<KeptFile | undefined> {
  try {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle(name)).getFile();
    const bytes = new Uint8Array(await file.arrayBuffer());
    const [sum, rest] = [bytes.subarray(0, SUM_BYTES), bytes.subarray(SUM_BYTES)];
    if (String(sum) !== String(await sumOf(rest))) return undefined;
    const start = 4 + new DataView(rest.buffer, rest.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(rest.subarray(4, start))) as Header;
    return header.magic === MAGIC ? { header, model: rest.slice(start) } : undefined;
  } catch {
    return undefined;
  }
}

const sumOf = async (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
