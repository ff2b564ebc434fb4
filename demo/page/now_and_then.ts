// Draws while the model learns: every so often, for at most an eighth of the time unless drawing takes seconds, and not in
// a hidden tab. Once the training stands, what is shown is of the weights as they are.

/** Milliseconds. However slow the machine, the pictures are of a model that is still like this one. */
const LONGEST_WAIT = 10_000;

export class NowAndThen {
  #busy: Promise<void> | undefined;
  #nextAt = 0;
  #first = true;
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
      // The first compiles its shaders too, and says nothing of what another takes.
      const spent = this.#first ? 0 : ended - began;
      this.#first = false;
      this.#nextAt = ended + Math.max(this.everyMs, Math.min(7 * spent, LONGEST_WAIT));
    } while (this.#again);
    this.#busy = undefined;
  }
}
