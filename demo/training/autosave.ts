// Keeps the model in the browser's own storage, so that a reload goes on where it stood. One tab at a time keeps; a
// second one says so, and takes over when the first is closed.
import { PageFault } from "../faults.js";
import type { AutosaveState, History, Kept } from "../protocol.js";
import { fromHash, toHash, type Settings } from "../settings.js";

/** Two files in turn: one that a crash cut short never costs the other. */
const files = ["autosave-a", "autosave-b"] as const;
const LOCK = "webvae demo: autosave";
const MAGIC = "webvae autosave 1";

export interface Keepsake {
  readonly title: string;
  readonly settings: Settings;
  readonly history: History;
  readonly model: Uint8Array<ArrayBuffer>;
}
interface Header {
  readonly magic: string;
  readonly savedAt: number;
  readonly bytes: number;
  readonly title: string;
  readonly steps: number;
  readonly epochs: number;
  readonly hash: string;
  readonly ownFiles: boolean;
  readonly history: History;
}

export class Autosave {
  /** Settled once it is known whether this tab may keep. */
  readonly #decided: Promise<void>;
  #mine = false;
  #off = false;

  constructor(private readonly tell: (state: AutosaveState) => void) {
    this.#decided = this.#claim();
  }

  /** What an earlier visit left; nothing where another tab is at it. */
  async kept(): Promise<Kept | undefined> {
    await this.#decided;
    const newest = this.#mine ? await newestFile() : undefined;
    if (!newest) return undefined;
    const { savedAt, title, steps, epochs, ownFiles } = newest.header;
    return { savedAt, title, steps, epochs, needsFiles: ownFiles };
  }

  /** Throws a PageFault where there is nothing, or nothing readable. */
  async read(): Promise<Keepsake> {
    const newest = this.#mine ? await newestFile() : undefined;
    if (!newest) throw new PageFault("Nothing was kept", "There is no model of an earlier visit in this browser.");
    const { header, file, start } = newest;
    const { settings } = fromHash(header.hash);
    return {
      title: header.title,
      settings: header.ownFiles ? { ...settings, data: "files" } : settings,
      history: header.history,
      model: new Uint8Array(await file.slice(start).arrayBuffer()),
    };
  }

  /** Never throws: what hinders it is told, and the training goes on. */
  async keep({ title, settings, history, model }: Keepsake, at: { steps: number; epochs: number }): Promise<void> {
    await this.#decided;
    if (!this.#mine || this.#off) return;
    const savedAt = Date.now();
    const header: Header = {
      magic: MAGIC,
      savedAt,
      bytes: model.length,
      title,
      ...at,
      hash: toHash(settings),
      ownFiles: settings.data === "files",
      history,
    };
    try {
      await write(await olderName(), header, model);
      this.tell({ kind: "on", saved: { at: savedAt, steps: at.steps } });
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async discard(): Promise<void> {
    await this.#decided;
    if (!this.#mine) return;
    try {
      const folder = await navigator.storage.getDirectory();
      for (const name of files) await folder.removeEntry(name).catch(() => {});
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    const name = error instanceof Error ? error.name : "";
    if (name === "QuotaExceededError") {
      // Another try may find room: the visitor was told to make some.
      this.tell({ kind: "off", why: "The browser's storage is full: free some, or download the model to keep it." });
      return;
    }
    this.#off = true;
    this.tell({
      kind: "off",
      why: "This browser lets the page store nothing (a private window?): download the model to keep it.",
    });
  }

  async #claim(): Promise<void> {
    try {
      await navigator.storage.getDirectory();
    } catch (error) {
      return this.#giveUp(error);
    }
    const take = () => {
      this.#mine = true;
      this.tell({ kind: "on" });
    };
    if (!("locks" in navigator)) return take();
    const forever = new Promise<never>(() => {});
    await new Promise<void>((decided, failed) => {
      const asked = navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
        if (lock) {
          take();
          decided();
          return forever;
        }
        this.tell({ kind: "off", why: "Another tab of this page keeps its model; this one's is not kept." });
        decided();
        // Waits until that tab is closed.
        void navigator.locks.request(LOCK, () => {
          take();
          return forever;
        });
        return undefined;
      });
      asked.catch(failed);
    }).catch((error: unknown) => this.#giveUp(error));
  }
}

/** Of workers alone, and so not in the DOM's types. */
interface SyncAccessHandle {
  write(bytes: BufferSource, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

async function write(name: string, header: Header, model: Uint8Array<ArrayBuffer>): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  const handle = (await folder.getFileHandle(name, { create: true })) as WorkerFileHandle;
  const access = await handle.createSyncAccessHandle();
  try {
    const text = new TextEncoder().encode(JSON.stringify(header));
    access.truncate(0);
    access.write(Uint32Array.of(text.length), { at: 0 });
    access.write(text, { at: 4 });
    const written = access.write(model, { at: 4 + text.length });
    if (written < model.length) throw new DOMException("the file is cut short", "QuotaExceededError");
    access.flush();
  } catch (error) {
    access.truncate(0);
    throw error;
  } finally {
    access.close();
  }
}

interface Found {
  readonly header: Header;
  readonly file: File;
  /** Where the model begins. */
  readonly start: number;
}

async function newestFile(): Promise<Found | undefined> {
  const found = (await Promise.all(files.map(readHeader))).filter((one) => one !== undefined);
  return found.sort((a, b) => b.header.savedAt - a.header.savedAt)[0];
}

async function olderName(): Promise<string> {
  const times = await Promise.all(files.map(async (name) => (await readHeader(name))?.header.savedAt ?? 0));
  return times[0]! <= times[1]! ? files[0] : files[1];
}

/** Nothing where there is no such file, or it was cut short, or is of another version of this page. */
async function readHeader(name: string): Promise<Found | undefined> {
  try {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle(name)).getFile();
    const length = new Uint32Array(await file.slice(0, 4).arrayBuffer())[0] ?? 0;
    const start = 4 + length;
    if (start > file.size) return undefined;
    const header = JSON.parse(await file.slice(4, start).text()) as Header;
    return header.magic === MAGIC && file.size === start + header.bytes ? { header, file, start } : undefined;
  } catch {
    return undefined;
  }
}
