// Errors in words for the person at the page: what happened, and what can be done.
import { WebvaeError, type ErrorCode } from "webvae";

export interface Fault {
  readonly title: string;
  readonly message: string;
  readonly hints: readonly string[];
  readonly code: string;
  /** Nothing can be trained here, however often one tries. */
  readonly final: boolean;
}

const browsers = [
  "Use a current Chrome or Edge (Windows, macOS, ChromeOS, Android), Safari 26 or later (macOS, iOS), or Firefox (Windows, macOS).",
  "On Linux start Chrome with --enable-unsafe-webgpu --enable-features=Vulkan.",
];

const known: Partial<Record<ErrorCode, Pick<Fault, "title" | "hints">>> = {
  NO_WEBGPU: {
    title: "This browser offers no WebGPU",
    hints: [...browsers, "Open the page over https, or from localhost: WebGPU is for secure pages only."],
  },
  NO_ADAPTER: {
    title: "WebGPU finds no graphics adapter",
    hints: [
      "Switch hardware acceleration on in the browser's settings, and start the browser again.",
      "Update the graphics driver; chrome://gpu says what is blocked, and why.",
      ...browsers.slice(1),
    ],
  },
  DEVICE_REFUSED: {
    title: "The graphics adapter refused to open",
    hints: ["Close other pages that use the GPU, and load this page again."],
  },
  DEVICE_LOST: {
    title: "The GPU was lost",
    hints: ["The driver reset it, or the machine slept. Press Reset to begin again with a new device."],
  },
  OUT_OF_MEMORY: {
    title: "The GPU has too little memory",
    hints: ["Close other pages that use the GPU, and press Reset."],
  },
  NON_FINITE: {
    title: "The loss is no longer a number",
    hints: ["The weights are those from before. Choose a smaller learning rate and continue, or press Reset."],
  },
};

export function describeFault(error: unknown): Fault {
  const code = error instanceof WebvaeError ? error.code : "UNEXPECTED";
  const { title = "Something went wrong", hints = ["Press Reset to begin again."] } =
    error instanceof WebvaeError ? (known[error.code] ?? {}) : {};
  const message = error instanceof Error ? error.message : String(error);
  return { title, message, hints, code, final: ["NO_WEBGPU", "NO_ADAPTER"].includes(code) };
}
