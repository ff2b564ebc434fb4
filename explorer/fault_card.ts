// Shows errors in place of the explorer, worded for visitors rather than the page's author.
import { button, element } from "./dom.js";

interface Words {
  readonly title: string;
  readonly hints: readonly string[];
}

const browsers = [
  "Use a current Chrome or Edge, Safari 26 or later, or Firefox on Windows or macOS, with hardware acceleration on.",
  "WebGPU works only on pages served over https or from localhost.",
];

const known: Readonly<Record<string, Words>> = {
  NO_WEBGPU: { title: "This browser does not support WebGPU", hints: browsers },
  NO_ADAPTER: { title: "WebGPU found no graphics adapter", hints: browsers },
  DEVICE_REFUSED: { title: "The GPU could not be opened", hints: ["Close other pages that use the GPU."] },
  DEVICE_LOST: { title: "The GPU was lost", hints: ["The driver reset it, or the machine went to sleep."] },
  OUT_OF_MEMORY: { title: "The GPU is out of memory", hints: ["Close other pages that use the GPU."] },
  LIMIT_EXCEEDED: { title: "The model is too large for this GPU", hints: [] },
  DOWNLOAD_FAILED: { title: "A file could not be downloaded", hints: ["Check the address and the connection."] },
  INVALID_FILE: {
    title: "This file is not a model that can be shown",
    hints: ["It must be a safetensors file saved by webvae, which includes the model's layers."],
  },
  INVALID_SPEC: { title: "This model has unknown layers", hints: [] },
  INVALID_DATA: { title: "The examples do not fit the model", hints: [] },
  INVALID_ATTRIBUTE: { title: "An attribute has an unknown value", hints: [] },
};

/** The error's code, which webvae's errors and the explorer's own have. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNEXPECTED";
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `again` is what its button does. */
export function faultCard(error: unknown, again: () => void): HTMLElement {
  const code = codeOf(error);
  const { title, hints } = known[code] ?? { title: "Something went wrong", hints: [] };
  // A message may quote a file or an address: it is inserted as text, and cut off if long.
  const message = messageOf(error);
  return element(
    "div",
    { part: "fault", role: "alert" },
    element("p", { class: "fault-title" }, title),
    element("p", {}, message.length > 400 ? `${message.slice(0, 400)}…` : message),
    element("ul", { class: "hint" }, ...hints.map((hint) => element("li", {}, hint))),
    element("p", { class: "hint" }, "Error code: ", element("code", {}, code)),
    button("Try again", again),
  );
}
