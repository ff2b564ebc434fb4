// Errors in words for the person at the page: what happened, and what can be done. Plain data, to cross from the
// worker.
import type { ErrorCode } from "webvae";

export interface Fault {
  readonly title: string;
  readonly message: string;
  readonly hints: readonly string[];
  readonly code: string;
}

const browsers = [
  "Use a current Chrome or Edge (Windows, macOS, ChromeOS, Android), Safari 26 or later (macOS, iOS), or Firefox (Windows, macOS).",
  "On Linux start Chrome with --enable-unsafe-webgpu --enable-features=Vulkan.",
];
const untouched = "The model that was here goes on untouched.";

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
    hints: ["Choose a smaller batch or model, or close other pages that use the GPU."],
  },
  LIMIT_EXCEEDED: {
    title: "Too large for this GPU",
    hints: ["Choose a smaller batch, model or picture.", untouched],
  },
  NON_FINITE: {
    title: "The loss is no longer a number",
    hints: ["The weights are those from before. Choose a smaller learning rate and continue, or press Reset."],
  },
  INVALID_SPEC: { title: "This is no model that can be built", hints: [untouched] },
  INVALID_DATA: { title: "These data do not fit", hints: [untouched] },
  INVALID_FILE: {
    title: "This is no model file that can be read",
    hints: ["A model file is what Save model downloads here, or vae.save() in a program.", untouched],
  },
  SPEC_MISMATCH: { title: "The file has another model", hints: [untouched] },
  DOWNLOAD_FAILED: {
    title: "A part of the page could not be downloaded",
    hints: ["Check the network and try again. A model in training goes on meanwhile, but it may not be kept."],
  },
};

/** The codes after which nothing can be trained here, however often one tries. */
export const isFinal = ({ code }: Fault) => ["NO_WEBGPU", "NO_ADAPTER"].includes(code);

/** The code of what another wish has made way for: nobody needs to be told. */
export const SUPERSEDED = "SUPERSEDED";

/** The code when the worker, and with it the training, has stopped or never started. */
export const WORKER_LOST = "WORKER_LOST";

/** A fault that this page finds itself. */
export class PageFault extends Error {
  constructor(
    readonly title: string,
    message: string,
    readonly hints: readonly string[] = [untouched],
    readonly code = "PAGE",
  ) {
    super(message);
  }
}

/** The code when a part of the page could not be loaded. */
export const PART_MISSING = "PART_MISSING";

/** Waits for a part of the page. Throws a PageFault that says what to do if it cannot be loaded. */
export async function part<Module>(name: string, loading: Promise<Module>): Promise<Module> {
  try {
    return await loading;
  } catch (error) {
    const hint = "Check the network, and load the page again: what was kept in this browser is still there.";
    const message = `${name} could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
    throw new PageFault("A part of the page could not be loaded", message, [hint], PART_MISSING);
  }
}

/** A Fault sent by the worker, as an error to throw on the page. */
export const asError = ({ title, message, hints, code }: Fault) => new PageFault(title, message, hints, code);

export function describeFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  // By its name: the page itself does without the library.
  if (error instanceof Error && error.name === "WebvaeError" && "code" in error) {
    const code = error.code as ErrorCode;
    const { title = "Something went wrong", hints = [] } = known[code] ?? {};
    return { title, message, hints, code };
  }
  // What demo/data throws, and this page's own.
  if (error instanceof Error && "title" in error && "hints" in error) {
    const { title, hints } = error as Error & Fault;
    return { title, message, hints: [...hints], code: "code" in error ? String(error.code) : error.name };
  }
  return { title: "Something went wrong", message, hints: ["Press Reset to begin again."], code: "UNEXPECTED" };
}
