// What a run can go back to, or be saved from when the device is lost: a copy of the model on the host, made between two
// submits every few seconds without stopping the run. It counts once a later step's loss shows that its weights are good.
import type { ModelBuffers, Snapshot } from "./model_buffers.js";
import type { Progress } from "./progress.js";

export interface SafePoint {
  readonly snapshot: Snapshot;
  readonly progress: Progress;
}

/** Milliseconds between two at least, and how many times what one costs. */
const PERIOD_MS = 1000;
const COST_SHARE = 50;
/** Bytes that a GPU copies and the host reads in a millisecond, where it is slow. */
const BYTES_PER_MS = 2 ** 20;

export class SafePoints {
  #kept: SafePoint | undefined;
  #next: SafePoint | undefined;
  #taking: Promise<void> | undefined;
  #nextAt = 0;
  #failed = false;

  constructor(private readonly buffers: ModelBuffers) {}

  /** The last that counts. */
  get kept(): SafePoint | undefined {
    return this.#kept;
  }

  /**
   * Takes one of the model as it is, after what is submitted, where `progress` says it stands. `certain`: it counts at
   * once, for it isn't what steps of unknown loss have made.
   */
  take(progress: () => Progress, certain: boolean): Promise<void> {
    const before = this.#taking ?? Promise.resolve();
    const taking = before.then(() => this.#take(progress, certain));
    this.#taking = taking;
    void taking.then(() => {
      if (this.#taking === taking) this.#taking = undefined;
    });
    return taking;
  }

  async #take(progress: () => Progress, certain: boolean): Promise<void> {
    // What is kept already is the model as it is, where no step came between.
    if (this.#failed || this.#kept?.progress.step === progress().step) return;
    let at: Progress | undefined;
    try {
      const snapshot = await this.buffers.snapshot(true, () => (at = progress()));
      if (!at || snapshot.halted || this.#failed) return;
      const bytes = 4 * (snapshot.weights.length + 2 * (snapshot.moments?.[0].length ?? 0));
      this.#nextAt = performance.now() + Math.max(PERIOD_MS, (COST_SHARE * bytes) / BYTES_PER_MS);
      this.#next = { snapshot, progress: at };
      if (certain) this.#kept = this.#next;
    } catch {
      // Too little memory for a copy; or the device is lost, or the VAE disposed of, and the run hears of that itself.
      this.#failed = true;
    }
  }

  /** Nothing is kept from now on. */
  clear(): void {
    this.#failed = true;
    this.#kept = this.#next = undefined;
  }

  /** Steps up to before `step` had a finite loss and gradient. Takes the next one if it is time. */
  good(step: number, progress: () => Progress): void {
    // Weights of after step s are those that step s starts from, as steps are counted from 0.
    if (this.#next && this.#next.progress.step < step) this.#kept = this.#next;
    if (!this.#taking && performance.now() >= this.#nextAt) void this.take(progress, false);
  }
}
