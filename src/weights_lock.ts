// Who may have the weights: the steps that change them, or calls of several submits that must see them as they are at
// one step. A call of one submit needs no lock, for the GPU runs submits one after another.

export class WeightsLock {
  #readers = 0;
  #writerWaits = false;
  /** What waits for the next change of either. */
  #waiting: (() => void)[] = [];

  /** Runs `use` while no step is submitted. A run that waits has its turn before the next call. */
  async reading<T>(use: () => Promise<T>): Promise<T> {
    while (this.#writerWaits) await this.#changed();
    this.#readers++;
    try {
      return await use();
    } finally {
      this.#readers--;
      this.#wake();
    }
  }

  /** Runs `submit` when no call reads: at once where none does. */
  async writing<T>(submit: () => T): Promise<T> {
    this.#writerWaits = this.#readers > 0;
    try {
      while (this.#readers > 0) await this.#changed();
      return submit();
    } finally {
      if (this.#writerWaits) {
        this.#writerWaits = false;
        this.#wake();
      }
    }
  }

  #changed(): Promise<void> {
    return new Promise((done) => this.#waiting.push(done));
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}
