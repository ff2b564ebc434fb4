// Draws while the model learns: every so often, for at most an eighth of the time, and not in a hidden tab. Once the
// training stands, what is shown is of the weights as they are.

export class NowAndThen {
  #busy: Promise<void> | undefined;
  #nextAt = 0;
  #again = false;

  constructor(
    private readonly draw: () => Promise<void> | void,
    private readonly everyMs: number,
  ) {}

  consider(): void {
    if (this.#busy || performance.now() < this.#nextAt || document.hidden) return;
    void this.now();
  }

  /** At once, or once more after what is being drawn. */
  async now(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return this.#busy;
    }
    this.#busy = this.#drawn();
    return this.#busy;
  }

  async #drawn(): Promise<void> {
    do {
      this.#again = false;
      const began = performance.now();
      try {
        await this.draw();
      } catch {
        // The run fails with the same cause, and says so; or the model has made way for another.
      }
      const ended = performance.now();
      this.#nextAt = ended + Math.max(this.everyMs, 7 * (ended - began));
    } while (this.#again);
    this.#busy = undefined;
  }
}
