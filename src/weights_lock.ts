// Excludes training steps, which change the weights, while a call with several submits needs the weights of one step. A
// call with one submit needs no lock, since the GPU runs submits one after another.

export class WeightsLock {
  #readers = 0;
  #writerWaits = false;
  /** Resolves at the next change of the above. */
  #waiting: (() => void)[] = [];

  /** Runs `use` while no step is submitted. A waiting run gets its turn before the next call. */
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

  /** Runs `submit` as soon as no call is reading. */
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
