// Just enough of a notebook for one cell, which runs again when its input changes.
import { cell } from "./cell.js";

const place = /** @type {HTMLElement} */ (document.getElementById("cell"));
const input = /** @type {HTMLInputElement} */ (document.querySelector("input"));
let invalidate = () => {};

function run() {
  invalidate();
  place.replaceChildren();
  /** @type {Promise<void>} */
  const invalidation = new Promise((resolve) => (invalidate = resolve));
  let current = true;
  void invalidation.then(() => (current = false));
  const display = (/** @type {Element} */ node) => place.append(node);
  cell({ latents: input.valueAsNumber, display, invalidation }).catch((error) => {
    if (current) place.append(String(error));
  });
}

input.onchange = run;
run();
