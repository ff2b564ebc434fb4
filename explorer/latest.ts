// Runs one task at a time, and of those that wait only the newest: what keeps a drag fluid on a slow adapter.
export class Latest {
  #running: Promise<void> | undefined;
  #waiting: (() => Promise<void>) | undefined;
  #next: Promise<void> | undefined;

  /** Resolves, or rejects, with this task, or with the one that took its place. */
  run(task: () => Promise<void>): Promise<void> {
    if (!this.#running) return (this.#running = this.#start(task));
    this.#waiting = task;
    this.#next ??= this.#running.then(this.#follow, this.#follow);
    return this.#next;
  }

  readonly #follow = (): Promise<void> => {
    const task = this.#waiting;
    this.#waiting = this.#next = undefined;
    this.#running = task && this.#start(task);
    return this.#running ?? Promise.resolve();
  };

  async #start(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } finally {
      if (!this.#waiting) this.#running = undefined;
    }
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = undefined;
  }
}
