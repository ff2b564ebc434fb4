// Holds training between two reports: for the visitor, or while a picture is computed.

export class Gate {
  readonly #holders = new Set<unknown>();
  #waiting: (() => void)[] = [];

  hold(holder: unknown): void {
    this.#holders.add(holder);
  }

  release(holder: unknown): void {
    this.#holders.delete(holder);
    if (this.#holders.size === 0) for (const go of this.#waiting.splice(0)) go();
  }

  holds(holder: unknown): boolean {
    return this.#holders.has(holder);
  }

  /** Resolves once nothing holds it. */
  async pass(): Promise<void> {
    while (this.#holders.size > 0) await new Promise<void>((go) => this.#waiting.push(go));
  }
}
