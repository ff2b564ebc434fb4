// The library's only error class. `code` is stable and meant for programs; the message, with all numbers, is for
// people.

/** What went wrong, for programs: these names stay. */
export type ErrorCode =
  /** There is no WebGPU here: `navigator.gpu` is missing or, in Node, the package `webgpu`. */
  | "NO_WEBGPU"
  /** WebGPU exists but has no adapter. */
  | "NO_ADAPTER"
  /** The adapter refused the device. */
  | "DEVICE_REFUSED"
  /** The GPU device was lost. */
  | "DEVICE_LOST"
  /** A call to WebGPU failed though the device is not lost; `cause` is what it threw. */
  | "GPU_FAILED"
  /** WebGPU, the browser or a worker did not respond in time. */
  | "TIMEOUT"
  /** A ModelSpec is malformed, or its layers' shapes do not fit together. */
  | "INVALID_SPEC"
  /** An option has a value outside its range. */
  | "INVALID_OPTION"
  /** Data has the wrong size, type or values. */
  | "INVALID_DATA"
  /** A file is malformed, truncated or of the wrong kind. */
  | "INVALID_FILE"
  /** A model file does not match the expected ModelSpec. */
  | "SPEC_MISMATCH"
  /** The device lacks a feature that an option requires, or the VAE's file the part of a model that a call requires. */
  | "UNSUPPORTED"
  /** The model or data exceeds the adapter's limits. */
  | "LIMIT_EXCEEDED"
  /** The GPU ran out of memory. */
  | "OUT_OF_MEMORY"
  /** A loss or weight became NaN or infinite. */
  | "NON_FINITE"
  /** A download failed, of a data set or of a part of the library that is loaded on demand. */
  | "DOWNLOAD_FAILED"
  /** A downloaded file is not the expected one. */
  | "CHECKSUM_MISMATCH"
  /** The object was disposed of, or is busy with a call that excludes this one. */
  | "DISPOSED"
  | "BUSY"
  /** A bug in the library, such as a graph that cannot be built or planned. Please report it. */
  | "INTERNAL";

/** Thrown by every public call; never a bare Error. Aborts reject with the signal's reason instead. */
export class WebvaeError extends Error {
  override readonly name = "WebvaeError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
