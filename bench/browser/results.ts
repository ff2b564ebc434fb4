// What is stored of a comparison.

export interface PeerResult {
  readonly model: string;
  readonly batch: number;
  readonly peer: string;
  /** Of the repetitions, milliseconds a step. */
  readonly medianMs: number | null;
  /** The slowest repetition less the fastest. */
  readonly spreadMs: number | null;
  readonly fastestMs: number | null;
  readonly slowestMs: number | null;
  readonly repetitions: number;
  /** From before the library's script is fetched until the first step's loss is on the host. */
  readonly firstStepMs: number | null;
  /** A step. */
  readonly kernels: number | null;
  readonly submits: number | null;
  /** Its median over webvae's of the same run: above 1 webvae is faster. */
  readonly speedup: number | null;
  /** Where the device is waited for in more than one way: the best, after so many steps. */
  readonly every: number | null;
  /** Largest relative difference of the losses from webvae's, over the first `comparedSteps` steps. */
  readonly lossDifference: number | null;
  readonly comparedSteps: number;
  /** JavaScript's heap, after collecting garbage. */
  readonly heapBytes: number | null;
  /** WebAssembly's memory, or tensors in arrays beside the heap. */
  readonly hostBytes: number | null;
  /** The most that lived at a time in buffers or textures, without the training images. */
  readonly gpuBytes: number | null;
  /** Gzipped, of what was fetched until the first step: the library with the code that trains with it. */
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
  /** Of the libraries, by the names of their packages. */
  readonly versions: Readonly<Record<string, string>>;
  readonly processors: number;
  readonly repeats: number;
  readonly limitSeconds: number;
  readonly results: readonly PeerResult[];
}
