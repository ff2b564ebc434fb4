// When the model is kept: while it trains every so often, and when it stops.
import type { Autosave } from "./autosave.js";
import type { Trainer } from "./trainer.js";

const EVERY_MS = 20_000;

export class Keeper {
  #at = performance.now();
  #steps = 0;
  #writing = false;
  /** Asked for while it was written: what is kept last is the model as it stands then. */
  #again: Parameters<Keeper["consider"]> | undefined;

  constructor(private readonly autosave: Autosave) {}

  /** Keeps the model if it is time, or `now`, and it has been trained since. */
  async consider(trainer: Trainer, title: string, now: boolean): Promise<void> {
    const { steps, epochs } = trainer.vae.trained;
    const due = now || performance.now() - this.#at > EVERY_MS;
    if (this.#writing && now) this.#again = [trainer, title, now];
    if (!due || this.#writing || steps === 0 || steps === this.#steps) return;
    this.#writing = true;
    trainer.gate.hold(this);
    try {
      const history = trainer.losses.all;
      const model = await trainer.vae.save({ trainingState: true });
      trainer.gate.release(this);
      await this.autosave.keep({ title, settings: trainer.settings, history, model }, { steps, epochs });
      this.#steps = steps;
    } catch {
      // The GPU is lost or the model disposed of; whoever uses it says so.
    } finally {
      trainer.gate.release(this);
      this.#at = performance.now();
      this.#writing = false;
    }
    const again = this.#again;
    this.#again = undefined;
    if (again) await this.consider(...again);
  }
}
