// The data that the page trains on, wherever it comes from, and the error that loading it may throw.
import type { Dataset } from "webvae";

export interface Loaded {
  /** As shown: "MNIST", "17 pictures". */
  readonly name: string;
  readonly kind: "images" | "points";
  /** Shape of one example: [height, width, channels] for images, [features] for points. */
  readonly shape: number[];
  readonly train: Dataset;
  /** Never trained on. */
  readonly test: Dataset;
  /** By class index, if the examples have labels. */
  readonly labelNames?: string[];
  /** Sentences for the visitor: where the data comes from, and what was left out and why. */
  readonly notes: string[];
}

/** `total` is undefined if there is nothing to count. `what` can be shown as it is: "Downloading the test images". */
export type Progress = (done: number, total: number | undefined, what: string) => void;

export interface LoadOptions {
  readonly onProgress?: Progress;
  /** If it aborts, loading rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Determines generated examples, and which examples are held out for testing. */
  readonly seed?: number;
}

/** Why there is no data: what happened, and what the visitor can do about it. */
export class DataFault extends Error {
  override readonly name = "DataFault";
  /** DOWNLOAD_FAILED if another try may succeed. */
  declare readonly code?: "DOWNLOAD_FAILED";

  constructor(
    /** A few words, without a full stop. */
    readonly title: string,
    /** What happened, in sentences. */
    message: string,
    /** What can be done, most likely first. */
    readonly hints: string[],
    options?: { cause?: unknown; code?: "DOWNLOAD_FAILED" },
  ) {
    super(message, options);
    if (options?.code) this.code = options.code;
  }
}
