// What the explorer needs of a model, wherever it computes: on the page (local_model.ts) or in a worker
// (remote_model.ts). Arrays are rows, one after another.
import type { ModelSpec } from "webvae";

/** Red, green, blue, 0 to 1. */
export type RGB = readonly [number, number, number];

/** A VAE as an explorer sees it. */
export interface ExplorerModel {
  readonly spec: ModelSpec;
  /** Pictures on this canvas from now on; the canvas must have no context yet. */
  attach(canvas: HTMLCanvasElement): Surface;
  encode(x: Float32Array): Promise<{ mean: Float32Array; logVariance: Float32Array }>;
  decode(z: Float32Array): Promise<Float32Array>;
  reconstruct(x: Float32Array): Promise<Float32Array>;
  /** The ELBO of each example by itself, in nats: an estimate from two draws, the same ones at each call. */
  elbo(x: Float32Array): Promise<number[]>;
}

/**
 * A canvas that a model draws on. Only the newest request counts: one that waits while another comes is dropped, and
 * its promise resolves with that other's.
 */
export interface Surface {
  /** Decodes latents [n, latent] and shows the examples in rows of `columns`. */
  decode(z: Float32Array, columns: number): Promise<void>;
  /** Shows examples [n, ...input]. */
  show(x: Float32Array, columns: number): Promise<void>;
  /** The canvas's size in its own pixels; what it shows is drawn again. */
  resize(width: number, height: number): void;
  /** The colours of the values 0 and 1 in pictures of one channel. */
  colours(low: RGB, high: RGB): void;
  /** What it shows, as PNG. */
  snapshot(): Promise<Blob>;
  dispose(): void;
}
