// The test examples' positions in the latent space, computed now and then while the model learns.
import { rowsAt, varied } from "./examples.js";
import type { Trainer } from "./trainer.js";
import type { Told } from "../protocol.js";

const EXAMPLES = 1000;
const EVERY_MS = 3000;
/** The largest share of the time that this may take. */
const SHARE = 0.05;

export class Means {
  readonly #rows: Float32Array;
  readonly #labels: Uint8Array | undefined;
  #nextAt = 0;
  #steps = -1;
  #computing = false;
  /** Requested during a computation: the last report is then from the final weights. */
  #again = false;

  constructor(
    private readonly trainer: Trainer,
    private readonly tell: (message: Told) => void,
  ) {
    const { test } = trainer.loaded;
    const chosen = varied(test, EXAMPLES);
    this.#rows = rowsAt(test, chosen);
    this.#labels = test.labels && Uint8Array.from(chosen, (index) => test.labels![index]!);
  }

  async consider(now: boolean): Promise<void> {
    const { vae, gate } = this.trainer;
    const began = performance.now();
    if (this.#computing) {
      this.#again ||= now;
      return;
    }
    if (vae.trained.steps === this.#steps || (!now && began < this.#nextAt)) return;
    this.#computing = true;
    gate.hold(this);
    try {
      this.#steps = vae.trained.steps;
      const { mean } = await vae.encode(this.#rows);
      this.tell({ type: "means", mean, ...(this.#labels ? { labels: this.#labels } : {}) });
    } catch {
      // The GPU was lost or the model disposed of; the code that uses it reports that.
      this.#again = false;
    } finally {
      gate.release(this);
      const ended = performance.now();
      this.#nextAt = ended + Math.max(EVERY_MS, (ended - began) / SHARE);
      this.#computing = false;
    }
    if (!this.#again) return;
    this.#again = false;
    await this.consider(true);
  }
}
