// What a screen reader hears: at once what somebody did, and every few seconds how the training stands.
import { find } from "./dom.js";

const EVERY_MS = 8000;
let nextAt = 0;

/** Said at once. */
export function announce(text: string): void {
  find("status").textContent = text;
  nextAt = performance.now() + EVERY_MS;
}

/** Said if nothing was for a while. */
export function mention(text: () => string): void {
  if (performance.now() >= nextAt) announce(text());
}
