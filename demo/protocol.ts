// What page and worker say to each other. The page calls; the worker answers, and tells of itself what happens.
import type { ModelSpec } from "webvae";
import type { Fault } from "./faults.js";
import type { Live, Settings } from "./settings.js";

export interface Commands {
  /**
   * Data and a model with new weights for them. What is there stays, and trains on, until both are ready: a fault
   * leaves it as it was. `files` are the visitor's own data; without them, and with the same data set, the data are
   * kept.
   */
  open(settings: Settings, files: readonly File[]): Promise<Opened>;
  /** A model file, for the data that are there. */
  load(file: File): Promise<Opened>;
  /** Whether a spec could be built on these data; nothing is built. */
  check(settings: Settings): Promise<Fault | undefined>;
  /** Until `settings.epochs` epochs are done, and once they are that many more. */
  play(): Promise<void>;
  pause(): Promise<void>;
  /** One step. */
  step(): Promise<void>;
  live(values: Live): Promise<void>;
  /** Where the run ends. */
  goal(epochs: number): Promise<void>;
  /** The model as a safetensors file with its training state. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
  /** A port over which the explorer asks the model that is there now. */
  connect(port: MessagePort): Promise<void>;
  /** What an earlier visit left, if anything. */
  kept(): Promise<Kept | undefined>;
  /** Continues with it; `files` are the visitor's own files it was trained on, if the page still has them. */
  restore(files?: readonly File[]): Promise<Opened>;
  discard(): Promise<void>;
}

/** A model and its data, as the page needs to know them. */
export interface Opened {
  readonly settings: Settings;
  readonly adapter: { readonly name: string; readonly software: boolean };
  readonly spec: ModelSpec;
  readonly parameters: number;
  readonly data: DataSummary;
  readonly stepsPerEpoch: number;
  readonly flopsPerStep: number;
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
  /** Examples of the test set, values from 0 to 1, of different classes where it has labels. */
  readonly examples: Float32Array;
  readonly exampleLabels?: Uint8Array;
}

/** Where the training stands. */
export interface Standing {
  readonly state: "ready" | "running" | "paused" | "done" | "failed";
  /** Nothing is under way. After a pause steps that the GPU has already are still done, and counted. */
  readonly still: boolean;
  readonly steps: number;
  /** Whole epochs done, the step within the next, and where it ends. */
  readonly epochs: number;
  readonly epochStep: number;
  readonly goal: number;
  readonly stepsPerSecond?: number;
  readonly clamped?: number;
}

/** Losses in nats per example at steps; of the test set at the ends of epochs. */
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
  /** The training's mean over that epoch. */
  readonly train: number;
}

export interface Kept {
  readonly savedAt: number;
  readonly title: string;
  readonly steps: number;
  readonly epochs: number;
  /** Its data are the visitor's files, which must be chosen again. */
  readonly needsFiles: boolean;
}

export type Told =
  /** An error outside of any call; training continues. */
  | { readonly type: "fault"; readonly fault: Fault }
  | { readonly type: "loading"; readonly what: string; readonly done: number; readonly total: number | undefined }
  | { readonly type: "standing"; readonly standing: Standing; readonly added: History; readonly fault?: Fault }
  /** Latent means of test examples, [n, latent]. */
  | { readonly type: "means"; readonly mean: Float32Array; readonly labels?: Uint8Array }
  | { readonly type: "autosave"; readonly state: AutosaveState };

/** Whether the model is being kept, and when it was last. */
export type AutosaveState =
  | { readonly kind: "on"; readonly saved?: Saved }
  | { readonly kind: "off"; readonly why: string; readonly saved?: Saved };
export interface Saved {
  readonly at: number;
  readonly steps: number;
}
