// The protocol between page and worker. The page calls; the worker answers, and reports events on its own.
import type { ModelSpec } from "webvae";
import type { Fault } from "./faults.js";
import type { Live, Settings } from "./settings.js";

export interface Commands {
  /**
   * Opens data and a model with new weights for it. The current model stays, and keeps training, until both are ready:
   * an error leaves it as it was. `files` is the visitor's own data; without it, and with the same data set, the data
   * stays loaded.
   */
  open(settings: Settings, files: readonly File[]): Promise<Opened>;
  /** Opens a model file for the current data. */
  load(file: File): Promise<Opened>;
  /** Checks whether a spec could be built for this data, without building anything. */
  check(settings: Settings): Promise<Fault | undefined>;
  /** Trains until `settings.epochs` epochs are done; after that, for the same number again. */
  play(): Promise<void>;
  pause(): Promise<void>;
  /** One step. */
  step(): Promise<void>;
  live(values: Live): Promise<void>;
  /** Sets the epoch at which training ends. */
  goal(epochs: number): Promise<void>;
  /** The model as a safetensors file with its training state. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
  /** A port over which the explorer queries the current model. */
  connect(port: MessagePort): Promise<void>;
  /** The model that an earlier visit left, if any. */
  kept(): Promise<Kept | undefined>;
  /** Continues with it; `files` are the visitor's files that it was trained on, if the page still has them. */
  restore(files?: readonly File[]): Promise<Opened>;
  discard(): Promise<void>;
}

/** What the page needs to know about a model and its data. */
export interface Opened {
  readonly settings: Settings;
  readonly adapter: { readonly name: string; readonly software: boolean };
  readonly spec: ModelSpec;
  readonly parameters: number;
  readonly data: DataSummary;
  readonly stepsPerEpoch: number;
  readonly standing: Standing;
  readonly history: History;
}

export interface DataSummary {
  readonly name: string;
  readonly kind: "images" | "points";
  readonly shape: readonly number[];
  readonly train: number;
  readonly test: number;
  readonly labelNames?: readonly string[];
  readonly notes: readonly string[];
  /** Examples of the test set, values from 0 to 1, of different classes if it has labels. */
  readonly examples: Float32Array;
  readonly exampleLabels?: Uint8Array;
}

/** The state of training. */
export interface Standing {
  readonly state: "ready" | "running" | "paused" | "done" | "failed";
  /** No steps are under way. After a pause, steps already submitted to the GPU are still done, and counted. */
  readonly still: boolean;
  readonly steps: number;
  /** Whole epochs done, the step within the next one, and the epoch at which training ends. */
  readonly epochs: number;
  readonly epochStep: number;
  readonly goal: number;
  readonly stepsPerSecond?: number;
  readonly clamped?: number;
}

/** Losses in nats per example: of training at steps, of the test set at the ends of epochs. */
export interface History {
  readonly train: readonly TrainPoint[];
  readonly test: readonly TestPoint[];
}
export interface TrainPoint {
  readonly step: number;
  readonly loss: number;
  readonly reconstruction: number;
  readonly kl: number;
}
export interface TestPoint extends TrainPoint {
  readonly epoch: number;
  /** The mean training loss over that epoch. */
  readonly train: number;
}

export interface Kept {
  readonly savedAt: number;
  readonly title: string;
  readonly steps: number;
  readonly epochs: number;
  /** Its data is the visitor's files, which must be chosen again. */
  readonly needsFiles: boolean;
}

export type Told =
  /** An error outside of any call; training continues. */
  | { readonly type: "fault"; readonly fault: Fault }
  | { readonly type: "loading"; readonly what: string; readonly done: number; readonly total: number | undefined }
  | {
      readonly type: "standing";
      readonly standing: Standing;
      /** If they can be counted. */
      readonly flopsPerStep: number | undefined;
      readonly added: History;
      readonly fault?: Fault;
    }
  /** Latent means of test examples, [n, latent]. */
  | { readonly type: "means"; readonly mean: Float32Array; readonly labels?: Uint8Array }
  | { readonly type: "autosave"; readonly state: AutosaveState };

/** Whether the model is being saved, and when it last was. */
export type AutosaveState =
  | { readonly kind: "on"; readonly saved?: Saved }
  | { readonly kind: "off"; readonly why: string; readonly saved?: Saved };
export interface Saved {
  readonly at: number;
  readonly steps: number;
}
