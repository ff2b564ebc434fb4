// Errors described for the visitor: what happened, and what can be done. Plain data, so that the worker can send them.
import type { ErrorCode } from "webvae";

export interface Fault {
  readonly title: string;
  readonly message: string;
  readonly hints: readonly string[];
  readonly code: string;
}

const browsers = [
  "Use a current Chrome or Edge (Windows, macOS, ChromeOS, Android), Safari 26 or later (macOS, iOS), or Firefox (Windows, macOS).",
  "On Linux, start Chrome with --enable-unsafe-webgpu --enable-features=Vulkan.",
];
const untouched = "The current model is unaffected.";

const known: Partial<Record<ErrorCode, Pick<Fault, "title" | "hints">>> = {
  NO_WEBGPU: {
    title: "This browser does not support WebGPU",
    hints: [...browsers, "Open the page over https or from localhost: WebGPU works only on secure pages."],
  },
  NO_ADAPTER: {
    title: "WebGPU found no graphics adapter",
    hints: [
      "Turn on hardware acceleration in the browser's settings and restart the browser.",
      "Update the graphics driver; chrome://gpu shows what is blocked and why.",
      ...browsers.slice(1),
    ],
  },
  DEVICE_REFUSED: {
    title: "The GPU could not be opened",
    hints: ["Close other pages that use the GPU and reload this page."],
  },
  DEVICE_LOST: {
    title: "The GPU was lost",
    hints: ["The driver reset it, or the machine went to sleep. Press Reset to start again with a new device."],
  },
  OUT_OF_MEMORY: {
    title: "The GPU is out of memory",
    hints: ["Choose a smaller batch or model, or close other pages that use the GPU."],
  },
  LIMIT_EXCEEDED: {
    title: "Too large for this GPU",
    hints: ["Choose a smaller batch, model or picture.", untouched],
  },
  NON_FINITE: {
    title: "The loss is no longer a number",
    hints: ["The weights from before are kept. Choose a smaller learning rate and continue, or press Reset."],
  },
  INVALID_SPEC: { title: "This model cannot be built", hints: [untouched] },
  INVALID_DATA: { title: "This data cannot be used", hints: [untouched] },
  INVALID_FILE: {
    title: "This model file cannot be read",
    hints: ["Choose a file made with Save model on this page, or with vae.save() in a program.", untouched],
  },
  SPEC_MISMATCH: { title: "The file holds a different model", hints: [untouched] },
  DOWNLOAD_FAILED: {
    title: "Part of the page could not be downloaded",
    hints: ["Check the network and try again. Training continues meanwhile, but the model may not be saved."],
  },
};

/** After these codes nothing can be trained here, however often one tries. */
export const isFinal = ({ code }: Fault) => ["NO_WEBGPU", "NO_ADAPTER"].includes(code);

/** The code of a request that a newer one replaced; it is not shown to anybody. */
export const SUPERSEDED = "SUPERSEDED";

/** The code when the worker, and with it the training, has stopped or never started. */
export const WORKER_LOST = "WORKER_LOST";

/** An error that this page itself detects. */
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

/** Waits for a part of the page to load. If it cannot be loaded, throws a PageFault that says what to do. */
export async function part<Module>(name: string, loading: Promise<Module>): Promise<Module> {
  try {
    return await loading;
  } catch (error) {
    const hint = "Check the network and reload the page: a model saved in this browser is still there.";
    const message = `${name} could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
    throw new PageFault("Part of the page could not be loaded", message, [hint], PART_MISSING);
  }
}

/** A Fault sent by the worker, as an error to throw on the page. */
export const asError = ({ title, message, hints, code }: Fault) => new PageFault(title, message, hints, code);

export function describeFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  // Recognized by its name, because the page itself does not load the library.
  if (error instanceof Error && error.name === "WebvaeError" && "code" in error) {
    const code = error.code as ErrorCode;
    const { title = "Something went wrong", hints = [] } = known[code] ?? {};
    return { title, message, hints, code };
  }
  // Errors from demo/data, and this page's own.
  if (error instanceof Error && "title" in error && "hints" in error) {
    const { title, hints } = error as Error & Fault;
    return { title, message, hints: [...hints], code: "code" in error ? String(error.code) : error.name };
  }
  return { title: "Something went wrong", message, hints: ["Press Reset to start again."], code: "UNEXPECTED" };
}
