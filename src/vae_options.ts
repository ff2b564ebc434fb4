// The options of a VAE's calls, and the report on its memory.
import type { DeviceOptions } from "./device.js";
import type { TuningStore } from "./tuning_store.js";
import type { Initialisation } from "./weights.js";

/** The first weights of a VAE, and its device. */
export interface VAEOptions extends DeviceOptions {
  /** Seeds the first weights and everything drawn in training. A whole number >= 0. Default 0. */
  readonly seed?: number;
  /** Whose rule draws the first weights, PyTorch's or Keras's. Default "torch". */
  readonly initialisation?: Initialisation;
  /**
   * Where measured schedules are kept; false measures nothing and uses the default ones. Default: IndexedDB in a page;
   * elsewhere they are kept only as long as the device.
   */
  readonly tuning?: TuningStore | false;
}

/** How examples are drawn. */
export interface SampleOptions {
  /** Draw x from p(x|z) instead of giving its mean: pixels of 0 and 1, or points with their sigma. Default false. */
  readonly noise?: boolean;
  /**
   * Factor of the draws of z, from 0 to 100: below 1 examples are more alike and more typical, above 1 less so; 0
   * always decodes z = 0. Default 1, the prior itself.
   */
  readonly temperature?: number;
  /** Default: new draws at each call, the same from run to run. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** How examples go through the model and back. */
export interface ReconstructOptions {
  /** Decode a draw from q(z|x) instead of its mean. Default false. */
  readonly noise?: boolean;
  /** Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** The GPU memory of a VAE, and the size of its model. */
export interface MemoryReport {
  readonly parameters: number;
  readonly weightBytes: number;
  /** All of the library's buffers on this device. */
  readonly deviceBytes: number;
  readonly deviceBuffers: number;
  /** The last training plan: its activations' shared slots, and what they would take unshared. */
  readonly activationBytes?: number;
  readonly activationBytesUnshared?: number;
}
