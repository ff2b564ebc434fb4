// Saves the model in the browser's storage, so that a reload can continue where it was. Only one tab at a time saves; a
// second one says so, and takes over when the first is closed.
import { PageFault } from "../faults.js";
import type { AutosaveState, History, Kept, Saved } from "../protocol.js";
import { fromHash, toHash, type Settings } from "../settings.js";
import { discardFiles, keepFile, newestFile } from "./kept_files.js";

const LOCK = "webvae demo: autosave";
/** Milliseconds to wait for the lock, which a page just closed or a worker just terminated may still hold briefly. */
const LOCK_WAIT = 10_000;

export interface Keepsake {
  readonly title: string;
  readonly settings: Settings;
  readonly history: History;
  readonly model: Uint8Array<ArrayBuffer>;
}
export class Autosave {
  /** Settled once it is known whether this tab may save. */
  readonly #decided: Promise<void>;
  /** Settled once this tab may save, if ever. */
  readonly #taken: Promise<void>;
  #take = () => {};
  #mine = false;
  #denied = false;
  /** When and at which step the current model was last saved. */
  #saved: Saved | undefined;
  #models = 0;

  constructor(private readonly tell: (state: AutosaveState) => void) {
    this.#taken = new Promise((taken) => (this.#take = taken));
    this.#decided = this.#claim();
  }

  /** Whether `keep` has somewhere to save a model. */
  get open(): boolean {
    return this.#mine && !this.#denied;
  }

  /** The model that an earlier visit left; undefined if another tab is using it. */
  async kept(): Promise<Kept | undefined> {
    await this.#decided;
    const newest = this.#mine ? await newestFile() : undefined;
    if (!newest) return undefined;
    const { savedAt, title, steps, epochs, ownFiles } = newest.header;
    return { savedAt, title, steps, epochs, needsFiles: ownFiles };
  }

  /** Throws a PageFault if there is none, or none that can be read. */
  async read(): Promise<Keepsake> {
    await Promise.race([this.#taken, new Promise((late) => setTimeout(late, LOCK_WAIT))]);
    const newest = this.#mine ? await newestFile() : undefined;
    if (!newest) throw new PageFault("No saved model", "There is no model from an earlier visit in this browser.");
    const { header, model } = newest;
    const { settings } = fromHash(header.hash);
    return {
      title: header.title,
      settings: header.ownFiles ? { ...settings, data: "files" } : settings,
      history: header.history,
      model,
    };
  }

  /**
   * Saves the model, and returns whether that succeeded. Never throws: an error is reported, training continues, and a
   * later try may succeed.
   */
  async keep({ title, settings, history, model }: Keepsake, at: { steps: number; epochs: number }): Promise<boolean> {
    const ofModel = this.#models;
    await this.#decided;
    if (!this.open) return false;
    const savedAt = Date.now();
    const [hash, ownFiles] = [toHash(settings), settings.data === "files"];
    try {
      await keepFile({ savedAt, title, ...at, hash, ownFiles, history }, model);
    } catch (error) {
      if (ofModel === this.#models) this.failed(error);
      return false;
    }
    // Another model may have been opened while this one was written.
    if (ofModel !== this.#models) return true;
    this.#saved = { at: savedAt, steps: at.steps };
    this.tell({ kind: "on", saved: this.#saved });
    return true;
  }

  /** Reports why the model could not be saved. */
  failed(error: unknown): void {
    const full = error instanceof Error && error.name === "QuotaExceededError";
    this.#off(
      full
        ? "The browser's storage is full: free some space, or download the model to keep it."
        : `The model could not be saved; the page will try again: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }

  /** Call when another model is opened: the saved one was the previous model. */
  forget(): void {
    this.#models++;
    this.#saved = undefined;
  }

  async discard(): Promise<void> {
    await this.#decided;
    if (!this.#mine) return;
    try {
      await discardFiles();
    } catch (error) {
      this.failed(error);
    }
  }

  #off(why: string): void {
    this.tell({ kind: "off", why, ...(this.#saved ? { saved: this.#saved } : {}) });
  }

  #deny(): void {
    this.#denied = true;
    this.#off("This browser does not let the page store data (a private window?): download the model to keep it.");
  }

  async #claim(): Promise<void> {
    try {
      await navigator.storage.getDirectory();
    } catch {
      return this.#deny();
    }
    const take = () => {
      this.#mine = true;
      this.tell({ kind: "on" });
      this.#take();
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
        this.#off("Another tab is saving its model, so this tab's model is not saved.");
        decided();
        // Waits until that tab is closed.
        void navigator.locks.request(LOCK, () => {
          take();
          return forever;
        });
        return undefined;
      });
      asked.catch(failed);
    }).catch(() => this.#deny());
  }
}
