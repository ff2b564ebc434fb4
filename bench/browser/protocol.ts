// The protocol between the program and its pages.
import type { SpecJson } from "./layers.js";

/** What every page of a case trains. Weights, images and noise are fetched separately. */
export interface Job {
  readonly spec: SpecJson;
  readonly batch: number;
  readonly seed: number;
  readonly learningRate: number;
  /** Steps for which there is noise; peers start over after the last. */
  readonly noiseSteps: number;
  readonly processors: number;
}

/** Steps whose losses are compared. */
export const COMPARED_STEPS = 10;

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** What a peer receives. All of it is on the host; uploading is timed only in the first step. */
export interface Material {
  readonly job: Job;
  /** Which of the library's backends. */
  readonly backend: string;
  /** Only for webvae; single by default. */
  readonly precision?: "f32" | "f16";
  /** In Keras's layouts. Empty for webvae, which creates them. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** [batch, ...input], bytes. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** [batch, latent] per step. */
  readonly noise: readonly Float32Array<ArrayBuffer>[];
}

export interface Pace {
  /** Waits for the device after this many steps. webvae paces itself. */
  readonly every: number;
  readonly steps: number;
  /** Only for webvae, which is measured by its reports for this long. */
  readonly seconds: number;
}

export interface Timed {
  readonly stepMs: number;
  readonly steps: number;
  /** Of the steps that are compared. */
  readonly losses: readonly number[];
  /** Per step, if the library counts them itself. */
  readonly submits?: number;
}

/** One library on one page. Its steps continue where they stopped, on the same batch, with the next noise. */
export interface Peer {
  /** Details such as threads, for the table's notes. */
  readonly detail: string;
  /** Runs the next steps and returns their losses. */
  losses(count: number): Promise<number[]>;
  measure(pace: Pace): Promise<Timed>;
  /** Bytes of the training images on the device. */
  readonly dataBytes: number;
  /** What the library counts itself, if the page cannot. */
  readonly memory?: () => Partial<PageMemory>;
  /** Frees its device memory, if the next case runs in the same process. */
  dispose?(): void;
  /** The initial weights as safetensors, from webvae. */
  firstWeights?(): Promise<Uint8Array<ArrayBuffer>>;
}

export const threads = (count: number) => `${count} ${count === 1 ? "thread" : "threads"}`;

export type OpenPeer = (material: Material) => Promise<Peer>;

export interface Started {
  readonly firstStepMs: number;
  readonly loss: number;
  readonly detail: string;
  /** Names of the files that the page has fetched from its folder. */
  readonly fetched: readonly string[];
}

export interface Counted extends Omit<Timed, "submits"> {
  /** Per step; null if the page did not use WebGPU. */
  readonly kernels: number | null;
  readonly submits: number | null;
}

/** Bytes outside the JavaScript heap. */
export interface PageMemory {
  /** The peak in buffers or textures, without the training images. */
  readonly gpuBytes: number | null;
  /** WebAssembly memory, or tensors in arrays. */
  readonly hostBytes: number | null;
}

/** The API of `window.bench` on a page. */
export interface PageCalls {
  start(): Promise<Started>;
  losses(count: number): Promise<number[]>;
  measure(pace: Pace): Promise<Counted>;
  memory(): Promise<PageMemory>;
  /** The adapter that pages get from WebGPU; null if there is none. */
  adapter(): Promise<string | null>;
  /** Sends the initial weights to the program. */
  sendWeights(): Promise<void>;
}

/** A library was still running when its time was up. */
export class TimeUp extends Error {}
