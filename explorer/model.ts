// What the explorer needs from a model, whether it runs on the page (local_model.ts) or in a worker (remote_model.ts).
// Arrays hold one row after another.
import type { ModelSpec } from "webvae";

/** Red, green, blue, 0 to 1. */
export type RGB = readonly [number, number, number];

/** A VAE as the explorer uses it. */
export interface ExplorerModel {
  readonly spec: ModelSpec;
  /** Draws on this canvas from now on; it must have no context yet. */
  attach(canvas: HTMLCanvasElement): Surface;
  encode(x: Float32Array): Promise<{ mean: Float32Array; logVariance: Float32Array }>;
  decode(z: Float32Array): Promise<Float32Array>;
  reconstruct(x: Float32Array): Promise<Float32Array>;
  /** Each example's ELBO in nats, estimated from two draws, which are the same at every call. */
  elbo(x: Float32Array): Promise<number[]>;
}

/**
 * A canvas that a model draws on. Only the newest request counts: a waiting request is dropped when another comes, and
 * its promise settles with the new one's.
 */
export interface Surface {
  /** Decodes latents [n, latent] and shows the examples in rows of `columns`. */
  decode(z: Float32Array, columns: number): Promise<void>;
  /** Shows examples [n, ...input]. */
  show(x: Float32Array, columns: number): Promise<void>;
  /** Sets the canvas's size in its own pixels and redraws what it shows. */
  resize(width: number, height: number): void;
  /** Sets the colours of the values 0 and 1 in single-channel pictures. */
  colours(low: RGB, high: RGB): void;
  /** What it shows, as PNG. */
  snapshot(): Promise<Blob>;
  dispose(): void;
}
