// Screen reader announcements: the results of actions at once, and training progress every few seconds.
import { find } from "./dom.js";

const EVERY_MS = 8000;
let nextAt = 0;

/** Announced at once. */
export function announce(text: string): void {
  find("status").textContent = text;
  nextAt = performance.now() + EVERY_MS;
}

/** Announced if nothing else was for a while. */
export function mention(text: () => string): void {
  if (performance.now() >= nextAt) announce(text());
}
