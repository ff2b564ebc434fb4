// Runs one task at a time, and of the waiting tasks only the newest, so that dragging stays fluid on a slow adapter.
export class Latest {
  #running: Promise<void> | undefined;
  #waiting: (() => Promise<void>) | undefined;
  #next: Promise<void> | undefined;

  /** Settles with this task, or with the one that replaced it. */
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

  /** Drops the waiting task. */
  clear(): void {
    this.#waiting = undefined;
  }
}
