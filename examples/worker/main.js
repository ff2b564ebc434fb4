// The page: does not import the library, only exchanges messages.
import { drawImages } from "../draw.js";

const output = /** @type {HTMLOutputElement} */ (document.querySelector("output"));
const button = /** @type {HTMLButtonElement} */ (document.querySelector("button"));
const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("canvas"));

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
worker.onmessage = (/** @type {MessageEvent} */ { data }) => {
  if (data.text) output.value = data.text;
  if (data.images) drawImages(canvas, data.images);
  if (data.done) button.disabled = false;
};
worker.onerror = (/** @type {ErrorEvent} */ { message }) => (output.value = message);
button.onclick = () => worker.postMessage("sample");
