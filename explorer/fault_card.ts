// What went wrong, in words for somebody who did not write the page, in the place where the explorer would be.
import { button, element } from "./dom.js";

interface Words {
  readonly title: string;
  readonly hints: readonly string[];
}

const browsers = [
  "Use a current Chrome or Edge, Safari 26 or later, or Firefox on Windows or macOS, with hardware acceleration on.",
  "WebGPU is for pages that come over https, or from localhost.",
];

const known: Readonly<Record<string, Words>> = {
  NO_WEBGPU: { title: "This browser offers no WebGPU", hints: browsers },
  NO_ADAPTER: { title: "WebGPU finds no graphics adapter", hints: browsers },
  DEVICE_REFUSED: { title: "The graphics adapter refused to open", hints: ["Close other pages that use the GPU."] },
  DEVICE_LOST: { title: "The GPU was lost", hints: ["The driver reset it, or the machine slept."] },
  OUT_OF_MEMORY: { title: "The GPU has too little memory", hints: ["Close other pages that use the GPU."] },
  LIMIT_EXCEEDED: { title: "The model is too large for this GPU", hints: [] },
  DOWNLOAD_FAILED: { title: "A file cannot be downloaded", hints: ["Check the address and the connection."] },
  INVALID_FILE: {
    title: "This file holds no model that can be shown",
    hints: ["A model is saved by webvae as a safetensors file, with its layers in it."],
  },
  INVALID_SPEC: { title: "This model has layers that are not known here", hints: [] },
  INVALID_DATA: { title: "The examples do not fit the model", hints: [] },
  INVALID_ATTRIBUTE: { title: "An attribute has a value that is not known", hints: [] },
};

/** The fault's code, as webvae's errors and the explorer's own have it. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNEXPECTED";
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `again` is what its button does. */
export function faultCard(error: unknown, again: () => void): HTMLElement {
  const code = codeOf(error);
  const { title, hints } = known[code] ?? { title: "Something went wrong", hints: [] };
  // A message may hold what a file or an address says: it is text, and not without end.
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
