// What a screen reader says of changes that have no control of their own: the newest summary, seldom.
import { element } from "./dom.js";

/** Milliseconds between two summaries at least. */
const PAUSE = 3000;

export class Announcer {
  readonly element = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  #newest: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = -Infinity;

  say(text: string): void {
    this.#newest = text;
    // A little later, so that of a burst the last counts.
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
