// Draws while the model learns: every so often, for at most an eighth of the time unless drawing takes seconds, and not
// in a hidden tab. Once training stops, the pictures show the current weights.

/** Milliseconds. However slow the machine, the pictures then still resemble the current model's. */
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

  /** Draws at once, or again after the drawing that is under way. */
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
        // Either training fails for the same reason and reports it, or the model has been replaced.
      }
      const ended = performance.now();
      // The first drawing also compiles its shaders, so its time does not predict the next one's.
      const spent = this.#first ? 0 : ended - began;
      this.#first = false;
      this.#nextAt = ended + Math.max(this.everyMs, Math.min(7 * spent, LONGEST_WAIT));
    } while (this.#again);
    this.#busy = undefined;
  }
}
