// Copies of the model on the host, which a run can go back to, and which can be saved if the device is lost. They are
// made between two submits, at most once a second, without stopping the run. A copy counts once a later step's loss and
// gradient show that its weights are good.
import type { ModelBuffers, Snapshot } from "./model_buffers.js";
import type { Progress } from "./progress.js";

export interface SafePoint {
  readonly snapshot: Snapshot;
  readonly progress: Progress;
}

/** Copies are at least this many milliseconds apart, and this many times the cost of a copy. */
const PERIOD_MS = 1000;
const COST_SHARE = 50;
/** Bytes per millisecond that a slow machine copies on the GPU and reads on the host. */
const BYTES_PER_MS = 2 ** 20;

export class SafePoints {
  #kept: SafePoint | undefined;
  #next: SafePoint | undefined;
  #taking: Promise<void> | undefined;
  #nextAt = 0;
  #failed = false;

  constructor(private readonly buffers: ModelBuffers) {}

  /** The last copy that counts. */
  get kept(): SafePoint | undefined {
    return this.#kept;
  }

  /** Whether there is a copy, or one is being made. */
  get any(): boolean {
    return !!(this.#kept ?? this.#taking);
  }

  /**
   * Copies the model after everything submitted so far, which matches `progress` at that moment. A `certain` copy
   * counts at once, since it does not depend on steps whose loss is still unknown.
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
    if (this.#failed) return;
    if (this.#kept?.progress.step === progress().step) {
      // Without a step in between, the copy would equal the one already kept. A later one is of a run that went back.
      this.#next = this.#kept;
      return;
    }
    let at: Progress | undefined;
    try {
      const snapshot = await this.buffers.snapshot(true, () => (at = progress()));
      if (!at || snapshot.halted || this.#failed) return;
      const bytes = 4 * (snapshot.weights.length + 2 * (snapshot.moments?.[0].length ?? 0));
      this.#nextAt = performance.now() + Math.max(PERIOD_MS, (COST_SHARE * bytes) / BYTES_PER_MS);
      this.#next = { snapshot, progress: at };
      if (certain) this.#kept = this.#next;
    } catch {
      // There is too little memory for a copy, or the device is lost or the VAE disposed of, which the run notices
      // itself.
      this.#failed = true;
    }
  }

  /** Drops the copies and makes no more. */
  clear(): void {
    this.#failed = true;
    this.#kept = this.#next = undefined;
  }

  /** Call when all steps before `step` had a finite loss and gradient. Makes the next copy if it is time. */
  good(step: number, progress: () => Progress): void {
    // Steps are counted from 0: the weights after n steps are those that step n starts from.
    if (this.#next && this.#next.progress.step < step) this.#kept = this.#next;
    if (!this.#taking && performance.now() >= this.#nextAt) void this.take(progress, false);
  }
}
