// How the demo saves the model in the browser's storage: it writes two files alternately, reads the newest complete
// one, and reports if it cannot store anything. The test's storage is in memory and can be denied, full, or held by
// another tab.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AutosaveState } from "../../demo/protocol.js";
import { defaults, type Settings } from "../../demo/settings.js";
import { Autosave, type Keepsake } from "../../demo/training/autosave.js";

class Storage {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Bytes that still fit. */
  room = Infinity;
  /** The browser is killed during the change after this many more. */
  survives = Infinity;

  /** Whether a change happens completely, halfway, or not at all. */
  #change(): "whole" | "half" {
    if (this.survives-- > 0) return "whole";
    if (this.survives === -1) return "half";
    throw new Error("killed");
  }

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
      truncate: (size: number) => {
        const before = this.files.get(name)!;
        const left = this.#change() === "whole" ? size : (before.length + size) >> 1;
        this.files.set(name, before.slice(0, left));
      },
      write: (given: Uint8Array, { at }: { at: number }) => {
        const data = this.#change() === "whole" ? given : given.subarray(0, given.length >> 1);
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

/** Locks, as shared by a browser's tabs. */
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

  /** Closes the tab that holds the lock. */
  release(): void {
    this.#held = false;
    for (const go of this.#waiting.splice(0)) go();
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

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

it("returns the newest saved model, with its settings and losses", async () => {
  const storage = new Storage();
  const { autosave, told } = browser(storage);
  expect(await autosave.kept()).toBeUndefined();
  await expect(autosave.read()).rejects.toThrow(/no model from an earlier visit/);
  vi.spyOn(Date, "now").mockReturnValueOnce(1000).mockReturnValueOnce(2000).mockReturnValueOnce(3000);
  for (const [i, title] of ["a", "bb", "ccc"].entries()) {
    expect(await autosave.keep(keepsake(title), at(i))).toBe(true);
  }
  expect([...storage.files.keys()].sort()).toEqual(["autosave-a", "autosave-b"]);
  expect(told.at(-1)).toEqual({ kind: "on", saved: { at: 3000, steps: 2 } });
  // As after a reload.
  const { autosave: again } = browser(storage);
  expect(await again.kept()).toEqual({ savedAt: 3000, title: "ccc", steps: 2, epochs: 0, needsFiles: false });
  expect(await again.read()).toEqual(keepsake("ccc"));
  await again.discard();
  expect(await again.kept()).toBeUndefined();
});

/** The clock's readings at four writes. */
const clocks: Record<string, number[]> = {
  "that runs": [1000, 2000, 3000, 4000],
  "that runs backwards": [4000, 3000, 2000, 1000],
  "that stands still": [1000, 1000, 1000, 1000],
  "that was set back once": [3000, 4000, 1000, 2000],
  "that was in another year for a while": [1000, 9e12, 2000, 3000],
  "that begins in 1970": [0, 1, 0, 0],
  "before 1970": [-5, -7, -6, -9],
  "without a time": [NaN, NaN, NaN, NaN],
};

describe.each(Object.entries(clocks))("with a clock %s", (_, times) => {
  it.each([1, 2, 3, 4])("offers the model that it last reported as saved, reloaded after every %d", async (every) => {
    const storage = new Storage();
    let { autosave, told } = browser(storage);
    for (const [i, time] of times.entries()) {
      vi.spyOn(Date, "now").mockReturnValue(time);
      await autosave.keep(keepsake(`model ${i}`), at(i));
      expect(told.at(-1)).toEqual({ kind: "on", saved: { at: time, steps: i } });
      if ((i + 1) % every === 0) ({ autosave, told } = browser(storage));
      expect(await autosave.kept()).toMatchObject({ title: `model ${i}`, steps: i });
      expect(await autosave.read()).toEqual(keepsake(`model ${i}`));
    }
  });

  it.each([0, 1, 2, 3])(
    "killed at any moment after %d models, it has the previous one or the new one, complete",
    async (had) => {
      let [moment, killed] = [0, true];
      const left = new Set<string>();
      for (; killed; moment++) {
        const storage = new Storage();
        const { autosave } = browser(storage);
        for (let i = 0; i < had; i++) {
          vi.spyOn(Date, "now").mockReturnValue(times[i]!);
          await autosave.keep(keepsake(`model ${i}`, 1000 + i), at(i));
        }
        vi.spyOn(Date, "now").mockReturnValue(times[had]!);
        storage.survives = moment;
        const said = await autosave.keep(keepsake(`model ${had}`, 1000 + had), at(had));
        killed = storage.survives < 0;
        expect(said).toBe(!killed);
        storage.survives = Infinity;
        const { autosave: again } = browser(storage);
        const found = await again.kept();
        left.add(found?.title ?? "nothing");
        const whole = [had - 1, had].filter((i) => i >= 0).map((i) => keepsake(`model ${i}`, 1000 + i));
        if (found) expect(whole).toContainEqual(await again.read());
        if (!killed) expect(found?.title).toBe(`model ${had}`);
      }
      // It was killed at each of its three changes, and finally not, so both outcomes occurred.
      expect(moment).toBe(4);
      expect([...left].sort()).toEqual([had > 0 ? `model ${had - 1}` : "nothing", `model ${had}`].sort());
    },
  );
});

it("ignores a file with any byte changed or cut off", async () => {
  const storage = new Storage();
  const { autosave } = browser(storage);
  await autosave.keep(keepsake("first"), at(1));
  await autosave.keep(keepsake("second"), at(2));
  const good = storage.files.get("autosave-b")!;
  for (let i = 0; i < good.length; i++) {
    const changed = good.slice();
    changed[i]! ^= 1 << (i % 8);
    for (const bytes of [changed, good.slice(0, i)]) {
      storage.files.set("autosave-b", bytes);
      expect((await autosave.kept())?.title, `byte ${i}`).toBe("first");
    }
  }
  storage.files.set("autosave-b", good);
  expect((await autosave.kept())?.title).toBe("second");
});

it("reports once that storage is denied, and never throws", async () => {
  const { autosave, told } = browser({ getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) });
  await autosave.keep(keepsake("a"), at(1));
  await autosave.discard();
  expect(await autosave.kept()).toBeUndefined();
  expect(told).toEqual([{ kind: "off", why: expect.stringContaining("does not let the page store data") as string }]);
});

it("reports that storage is full, keeps the old model, and tries again", async () => {
  const storage = new Storage();
  vi.spyOn(Date, "now").mockReturnValueOnce(1000).mockReturnValueOnce(2000).mockReturnValueOnce(3000);
  const { autosave, told } = browser(storage);
  await autosave.keep(keepsake("small"), at(1));
  storage.room = 500;
  await autosave.keep(keepsake("large", 1000), at(2));
  // It still reports the existing model.
  const full = expect.stringContaining("storage is full") as string;
  expect(told.at(-1)).toEqual({ kind: "off", why: full, saved: { at: 1000, steps: 1 } });
  expect((await autosave.kept())?.title).toBe("small");
  storage.room = Infinity;
  await autosave.keep(keepsake("large", 1000), at(3));
  expect(told.at(-1)).toEqual({ kind: "on", saved: { at: 3000, steps: 3 } });
  expect((await autosave.kept())?.title).toBe("large");
});

it("does not report a model that was replaced while it was being written", async () => {
  const { autosave, told } = browser(new Storage());
  const written = autosave.keep(keepsake("old"), at(1));
  autosave.forget();
  await written;
  expect(told).toEqual([{ kind: "on" }]);
  await autosave.keep(keepsake("new"), at(2));
  expect(told.at(-1)).toMatchObject({ kind: "on", saved: { steps: 2 } });
});

it("only one of two tabs saves; the other says so, and takes over when the first is closed", async () => {
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
