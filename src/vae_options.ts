// The options of a VAE's methods, and the report on its memory.
import type { ConditionValue } from "./conditions/json.js";
import type { DeviceOptions } from "./device.js";
import type { ModelPart } from "./part.js";
import type { Precision } from "./training_options.js";
import type { TuningStore } from "./tuning_store.js";
import type { Initialisation } from "./weights.js";

/** A VAE's initial weights and its device. */
export interface VAEOptions extends DeviceOptions {
  /** Seed of the initial weights and of all random numbers in training. A whole number >= 0. Default 0. */
  readonly seed?: number;
  /** The rule for initial weights: PyTorch's ("torch") or Keras's ("glorot"). Default "torch". */
  readonly initialisation?: Initialisation;
  /**
   * Where measured schedules are stored; false measures nothing and uses the default ones. Default: IndexedDB on a
   * page; elsewhere they last only as long as the device.
   */
  readonly tuning?: TuningStore | false;
}

/** What all calls that encode or decode take. */
export interface CallOptions {
  /**
   * Of a conditional model: a class for all examples, or one for each. Default: the labels of the data set, where
   * examples are given as one.
   */
  readonly condition?: ConditionValue;
  readonly signal?: AbortSignal;
}

/** How to draw examples. */
export interface SampleOptions extends CallOptions {
  /** Draw x from p(x|z) instead of returning its mean: pixels of 0 and 1, or points with noise. Default false. */
  readonly noise?: boolean;
  /**
   * Factor on the draws of z, from 0 to 100: below 1, examples are more alike and more typical, above 1 less so; 0
   * always decodes z = 0. Default 1, the prior itself.
   */
  readonly temperature?: number;
  /** Default: new draws at each call, the same sequence in every program run. */
  readonly seed?: number;
}

/** How to reconstruct examples. */
export interface ReconstructOptions extends CallOptions {
  /** Decode a draw from q(z|x) instead of its mean. Default false. */
  readonly noise?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/** What is saved of a VAE. */
export interface SaveOptions {
  /** Also the optimizer's moments and where the run stands, so that a loaded VAE continues bit for bit. Default false. */
  readonly trainingState?: boolean;
  /**
   * Only the encoder, for a page that encodes, or only the decoder, for one that samples and decodes. Default: the whole
   * model.
   */
  readonly part?: ModelPart;
  /**
   * "f16" rounds weights to half precision, in half the bytes: about three decimal digits, values up to 65504. Running
   * statistics stay f32. Default "f32".
   */
  readonly precision?: Precision;
}

/** The GPU memory of a VAE, and the size of its model. */
export interface MemoryReport {
  readonly parameters: number;
  readonly weightBytes: number;
  /** All of the library's buffers on this device. */
  readonly deviceBytes: number;
  readonly deviceBuffers: number;
  /** The last training plan: the size of its activations' shared slots, and what they would take unshared. */
  readonly activationBytes?: number;
  readonly activationBytesUnshared?: number;
}
