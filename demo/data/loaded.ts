// What the page trains on, wherever it comes from, and how loading it fails.
import type { Dataset } from "webvae";

export interface Loaded {
  /** As shown: "MNIST", "17 pictures". */
  readonly name: string;
  readonly kind: "images" | "points";
  /** Of one example: [height, width, channels] for images, [features] for points. */
  readonly shape: number[];
  readonly train: Dataset;
  /** Never trained on. */
  readonly test: Dataset;
  /** By class index, where the examples have labels. */
  readonly labelNames?: string[];
  /** Sentences for the visitor: where the data come from, and what was left out and why. */
  readonly notes: string[];
}

/** `total` is unknown where there is nothing to count. `what` is fit to be shown: "Downloading the test images". */
export type Progress = (done: number, total: number | undefined, what: string) => void;

export interface LoadOptions {
  readonly onProgress?: Progress;
  /** Aborts reject with its reason. */
  readonly signal?: AbortSignal;
  /** Of generated examples, and of which ones are held out for the test. */
  readonly seed?: number;
}

/** No data: what happened, and what the visitor can do about it. */
export class DataFault extends Error {
  override readonly name = "DataFault";
  /** DOWNLOAD_FAILED where it may go better another time. */
  declare readonly code?: "DOWNLOAD_FAILED";

  constructor(
    /** Of a few words, without a full stop. */
    readonly title: string,
    /** What happened, in sentences. */
    message: string,
    /** What can be done, the likeliest first. */
    readonly hints: string[],
    options?: { cause?: unknown; code?: "DOWNLOAD_FAILED" },
  ) {
    super(message, options);
    if (options?.code) this.code = options.code;
  }
}
