// The stored results of a comparison.

export interface PeerResult {
  readonly model: string;
  readonly batch: number;
  readonly peer: string;
  /** Median of the repetitions, in milliseconds per step. */
  readonly medianMs: number | null;
  /** The slowest repetition minus the fastest. */
  readonly spreadMs: number | null;
  readonly fastestMs: number | null;
  readonly slowestMs: number | null;
  readonly repetitions: number;
  /** From before the library's script is fetched until the first step's loss is on the host. */
  readonly firstStepMs: number | null;
  /** Per step. */
  readonly kernels: number | null;
  readonly submits: number | null;
  /** Its median divided by webvae's in the same run; above 1, webvae is faster. */
  readonly speedup: number | null;
  /** If several ways of waiting for the device were tried: the fastest, as the number of steps between waits. */
  readonly every: number | null;
  /** Largest relative difference of the losses from webvae's, over the first `comparedSteps` steps. */
  readonly lossDifference: number | null;
  readonly comparedSteps: number;
  /** The JavaScript heap after garbage collection. */
  readonly heapBytes: number | null;
  /** WebAssembly memory, or tensors in arrays outside the heap. */
  readonly hostBytes: number | null;
  /** The peak in buffers or textures, without the training images. */
  readonly gpuBytes: number | null;
  /** Gzipped size of what was fetched up to the first step: the library with the code that trains with it. */
  readonly scriptBytes: number | null;
  readonly wasmBytes: number | null;
  readonly detail: string;
  readonly error: string | null;
}

export interface Comparison {
  readonly adapter: string;
  readonly commit: string;
  readonly date: string;
  readonly browser: string;
  /** The libraries' versions, by package name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly processors: number;
  readonly repeats: number;
  readonly limitSeconds: number;
  readonly results: readonly PeerResult[];
}
