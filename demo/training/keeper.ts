// Decides when the model is saved: every so often during training, and when it stops.
import type { Autosave } from "./autosave.js";
import type { Trainer } from "./trainer.js";

const EVERY_MS = 20_000;

export class Keeper {
  #at = performance.now();
  #kept: { readonly trainer: Trainer; readonly steps: number } | undefined;
  #writing = false;
  /** A request that came during a write; it is carried out afterwards, so that the final state is saved. */
  #again: Parameters<Keeper["consider"]> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly autosave: Autosave) {}

  /** Call when another model replaces the one saved so far. */
  forget(): void {
    clearTimeout(this.#retry);
    this.#again = undefined;
    this.autosave.forget();
  }

  /** Saves the model if it was trained since the last save and it is time, or `now`. Retries after a failure. */
  async consider(trainer: Trainer, title: string, now: boolean): Promise<void> {
    const { steps, epochs } = trainer.vae.trained;
    const due = now || performance.now() - this.#at > EVERY_MS;
    if (this.#writing && now) this.#again = [trainer, title, now];
    const isKept = this.#kept?.trainer === trainer && this.#kept.steps === steps;
    if (!due || this.#writing || steps === 0 || isKept) return;
    this.#writing = true;
    clearTimeout(this.#retry);
    let settled = false;
    try {
      settled = this.autosave.open && (await this.#keep(trainer, title, { steps, epochs }));
    } catch (error) {
      // A model that is gone cannot be saved; the code that uses it reports the loss.
      settled = isGone(error);
      if (!settled) this.autosave.failed(error);
    } finally {
      trainer.gate.release(this);
      this.#at = performance.now();
      this.#writing = false;
    }
    const again = this.#again;
    this.#again = undefined;
    if (again) await this.consider(...again);
    else if (!settled) this.#retry = setTimeout(() => void this.consider(trainer, title, true), EVERY_MS);
  }

  async #keep(trainer: Trainer, title: string, at: { steps: number; epochs: number }): Promise<boolean> {
    trainer.gate.hold(this);
    const history = trainer.losses.all;
    const model = await trainer.vae.save({ trainingState: true });
    trainer.gate.release(this);
    const kept = await this.autosave.keep({ title, settings: trainer.settings, history, model }, at);
    if (kept) this.#kept = { trainer, steps: at.steps };
    return kept;
  }
}

const isGone = (error: unknown) =>
  error instanceof Error && "code" in error && ["DEVICE_LOST", "DISPOSED"].includes(String(error.code));
