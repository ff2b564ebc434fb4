// What the demo keeps in the browser's storage: two files in turn, of which the newest whole one counts; and what it says
// where it may not keep. The storage is one in memory, which can be denied, full, or held by another tab.
import { afterEach, expect, it, vi } from "vitest";
import type { AutosaveState } from "../../demo/protocol.js";
import { defaults, type Settings } from "../../demo/settings.js";
import { Autosave, type Keepsake } from "../../demo/training/autosave.js";

class Storage {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Bytes that still fit. */
  room = Infinity;

  getDirectory = () => Promise.resolve(this);
  removeEntry = (name: string) => Promise.resolve(void this.files.delete(name));

  getFileHandle(name: string, options?: { create: boolean }) {
    if (!this.files.has(name) && !options?.create) return Promise.reject(new DOMException("none", "NotFoundError"));
    if (!this.files.has(name)) this.files.set(name, new Uint8Array());
    return Promise.resolve({
      getFile: () => Promise.resolve(new Blob([this.files.get(name)!])),
      createSyncAccessHandle: () => Promise.resolve(this.#access(name)),
    });
  }

  #access(name: string) {
    return {
      truncate: (size: number) => void this.files.set(name, this.files.get(name)!.slice(0, size)),
      write: (data: Uint8Array | Uint32Array, { at }: { at: number }) => {
        if (data.byteLength > this.room) throw new DOMException("full", "QuotaExceededError");
        const before = this.files.get(name)!;
        const after = new Uint8Array(Math.max(before.length, at + data.byteLength));
        after.set(before);
        after.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
        this.files.set(name, after);
        return data.byteLength;
      },
      flush: () => {},
      close: () => {},
    };
  }
}

/** Locks as the browser's tabs share them. */
class Locks {
  #held = false;
  #waiting: (() => void)[] = [];

  request = async (_: string, ...rest: unknown[]) => {
    const act = rest.pop() as (lock: object | null) => Promise<unknown> | undefined;
    const [options] = rest as [{ ifAvailable?: boolean } | undefined];
    if (this.#held && options?.ifAvailable) return act(null);
    while (this.#held) await new Promise<void>((go) => this.#waiting.push(go));
    this.#held = true;
    await act({});
  };

  /** The tab that holds it is closed. */
  release(): void {
    this.#held = false;
    for (const go of this.#waiting.splice(0)) go();
  }
}

afterEach(() => vi.unstubAllGlobals());

function browser(storage: object, locks = new Locks()) {
  vi.stubGlobal("navigator", { storage, locks });
  const told: AutosaveState[] = [];
  return { told, autosave: new Autosave((state) => told.push(state)) };
}

const settings: Settings = { ...defaults, latent: 7, learningRate: 0.002 };
const keepsake = (title: string, bytes = 100): Keepsake => ({
  title,
  settings,
  history: { train: [{ step: 1, loss: 5, reconstruction: 3, kl: 2 }], test: [] },
  model: new Uint8Array(bytes).fill(title.length),
});
const at = (steps: number) => ({ steps, epochs: 0 });

it("gives back the newest of what it kept, with its settings and losses", async () => {
  const storage = new Storage();
  vi.spyOn(Date, "now").mockReturnValueOnce(1000).mockReturnValueOnce(2000).mockReturnValueOnce(3000);
  const { autosave, told } = browser(storage);
  expect(await autosave.kept()).toBeUndefined();
  await expect(autosave.read()).rejects.toThrow(/no model of an earlier visit/);
  for (const [i, title] of ["a", "bb", "ccc"].entries()) await autosave.keep(keepsake(title), at(i));
  expect([...storage.files.keys()].sort()).toEqual(["autosave-a", "autosave-b"]);
  expect(told.at(-1)).toEqual({ kind: "on", saved: { at: 3000, steps: 2 } });
  // As after a reload.
  const { autosave: again } = browser(storage);
  expect(await again.kept()).toEqual({ savedAt: 3000, title: "ccc", steps: 2, epochs: 0, needsFiles: false });
  expect(await again.read()).toEqual(keepsake("ccc"));
  await again.discard();
  expect(await again.kept()).toBeUndefined();
});

it("a file that was cut short, or is another's, leaves the one before", async () => {
  const storage = new Storage();
  vi.spyOn(Date, "now").mockReturnValueOnce(1000).mockReturnValueOnce(2000);
  const { autosave } = browser(storage);
  await autosave.keep(keepsake("first"), at(1));
  await autosave.keep(keepsake("second"), at(2));
  expect((await autosave.kept())?.title).toBe("second");
  storage.files.set("autosave-b", storage.files.get("autosave-b")!.slice(0, -1));
  expect((await autosave.kept())?.title).toBe("first");
  for (const bytes of [[], [1], [255, 255, 255, 255, 1], [2, 0, 0, 0, 123, 125], [4, 0, 0, 0, 110, 117, 108, 108]]) {
    storage.files.set("autosave-b", Uint8Array.from(bytes));
    expect((await autosave.kept())?.title).toBe("first");
  }
});

it("where storage is denied it says so once, and never throws", async () => {
  const { autosave, told } = browser({ getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) });
  await autosave.keep(keepsake("a"), at(1));
  await autosave.discard();
  expect(await autosave.kept()).toBeUndefined();
  expect(told).toEqual([{ kind: "off", why: expect.stringContaining("lets the page store nothing") as string }]);
});

it("where storage is full it says so, keeps what it had, and tries again", async () => {
  const storage = new Storage();
  vi.spyOn(Date, "now").mockReturnValueOnce(1000).mockReturnValueOnce(2000).mockReturnValueOnce(3000);
  const { autosave, told } = browser(storage);
  await autosave.keep(keepsake("small"), at(1));
  storage.room = 500;
  await autosave.keep(keepsake("large", 1000), at(2));
  expect(told.at(-1)).toEqual({ kind: "off", why: expect.stringContaining("storage is full") as string });
  expect((await autosave.kept())?.title).toBe("small");
  storage.room = Infinity;
  await autosave.keep(keepsake("large", 1000), at(3));
  expect(told.at(-1)).toEqual({ kind: "on", saved: { at: 3000, steps: 3 } });
  expect((await autosave.kept())?.title).toBe("large");
});

it("of two tabs one keeps; the other says so, and takes over when that is closed", async () => {
  const [storage, locks] = [new Storage(), new Locks()];
  const first = browser(storage, locks);
  await first.autosave.keep(keepsake("first"), at(1));
  const second = browser(storage, locks);
  expect(await second.autosave.kept()).toBeUndefined();
  await second.autosave.keep(keepsake("second"), at(1));
  expect(second.told).toEqual([{ kind: "off", why: expect.stringContaining("Another tab") as string }]);
  expect((await first.autosave.kept())?.title).toBe("first");
  locks.release();
  await vi.waitFor(() => expect(second.told.at(-1)).toEqual({ kind: "on" }));
  await second.autosave.keep(keepsake("second"), at(2));
  expect((await second.autosave.kept())?.title).toBe("second");
});
