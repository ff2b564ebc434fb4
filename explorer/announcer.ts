// Tells screen readers about changes that have no control of their own: only the newest summary, and not often.
import { element } from "./dom.js";

/** Minimum time between summaries, in milliseconds. */
const PAUSE = 3000;

export class Announcer {
  readonly element = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  #newest: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = -Infinity;

  say(text: string): void {
    this.#newest = text;
    // Delayed a little, so that only the last of a burst counts.
    this.#timer ??= setTimeout(this.#speak, Math.max(400, this.#lastAt + PAUSE - performance.now()));
  }

  readonly #speak = (): void => {
    this.#timer = undefined;
    this.#lastAt = performance.now();
    if (this.#newest !== undefined) this.element.textContent = this.#newest;
  };

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
