// What the program and its pages say to each other.
import type { SpecJson } from "./layers.js";

/** What every page of a case is to train. Weights, images and noise are fetched beside it. */
export interface Job {
  readonly spec: SpecJson;
  readonly batch: number;
  readonly seed: number;
  readonly learningRate: number;
  /** Steps for which there is noise; peers begin again after the last. */
  readonly noiseSteps: number;
  readonly processors: number;
}

/** Steps whose losses are compared. */
export const COMPARED_STEPS = 10;

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** What a peer is given. All of it is on the host; uploading is not timed but in the first step. */
export interface Material {
  readonly job: Job;
  /** Which of the library's backends. */
  readonly backend: string;
  /** Of webvae; single unless said. */
  readonly precision?: "f32" | "f16";
  /** Keras's layouts. Empty for webvae, which makes them. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** [batch, ...input], bytes. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** [batch, latent] a step. */
  readonly noise: readonly Float32Array<ArrayBuffer>[];
}

export interface Pace {
  /** Waits for the device after so many steps. webvae paces itself. */
  readonly every: number;
  readonly steps: number;
  /** Only for webvae, which is measured by its reports for so long. */
  readonly seconds: number;
}

export interface Timed {
  readonly stepMs: number;
  readonly steps: number;
  /** Of those steps among them that are compared. */
  readonly losses: readonly number[];
  /** A step, where the library counts them itself. */
  readonly submits?: number;
}

/** One library in one page. Its steps go on where they stopped, on the same batch, with the next noise. */
export interface Peer {
  /** Threads and the like, for the table's notes. */
  readonly detail: string;
  /** Runs the next steps and gives the loss of each. */
  losses(count: number): Promise<number[]>;
  measure(pace: Pace): Promise<Timed>;
  /** Of the training images on the device. */
  readonly dataBytes: number;
  /** What the library counts itself, where the page cannot. */
  readonly memory?: () => Partial<PageMemory>;
  /** Frees what it holds on the device, where the next case runs in the same process. */
  dispose?(): void;
  /** The first weights as safetensors, from webvae. */
  firstWeights?(): Promise<Uint8Array<ArrayBuffer>>;
}

export const threads = (count: number) => `${count} ${count === 1 ? "thread" : "threads"}`;

export type OpenPeer = (material: Material) => Promise<Peer>;

export interface Started {
  readonly firstStepMs: number;
  readonly loss: number;
  readonly detail: string;
  /** Names of the files of its folder that the page has fetched. */
  readonly fetched: readonly string[];
}

export interface Counted extends Omit<Timed, "submits"> {
  /** A step; null where the page did not use WebGPU. */
  readonly kernels: number | null;
  readonly submits: number | null;
}

/** Bytes beside the JavaScript heap. */
export interface PageMemory {
  /** The most that lived at a time, in buffers or textures, without the training images. */
  readonly gpuBytes: number | null;
  /** WebAssembly's memory, or tensors in arrays. */
  readonly hostBytes: number | null;
}

/** What a page offers as `window.bench`. */
export interface PageCalls {
  start(): Promise<Started>;
  losses(count: number): Promise<number[]>;
  measure(pace: Pace): Promise<Counted>;
  memory(): Promise<PageMemory>;
  /** The adapter that WebGPU gives pages, null where there is none. */
  adapter(): Promise<string | null>;
  /** Sends the first weights to the program. */
  sendWeights(): Promise<void>;
}

/** A library was still at work when its time was over. */
export class TimeUp extends Error {}
