// The state that all views share: the model, the current position in its latent space, and the examples in it.
import { normals } from "./normals.js";
import type { ExplorerModel } from "./model.js";
import { variancesOf } from "./pca.js";
import { Plane } from "./plane.js";
import { valuesOf } from "./shapes.js";

/** Positions of examples in the latent space. */
export interface Points {
  /** The examples' means of q(z|x), [n, latent]. */
  readonly mean: Float32Array;
  readonly labels?: Uint8Array;
}

/** What an explorer shows besides the model itself. */
export interface ExplorerOptions {
  /** Positions of examples. By default, the means of `images`. */
  readonly points?: Points;
  /** Examples [n, ...input], values from 0 to 1: to interpolate between, to try, and to compare with. */
  readonly images?: Float32Array;
  readonly imageLabels?: Uint8Array;
  /** Names of the labels 0, 1, ... By default, their numbers. */
  readonly labelNames?: readonly string[];
  /** Seed for random positions. Default 0. */
  readonly seed?: number;
  /** Called with errors, such as a lost device or a worker that is gone. The explorer shows them too. */
  readonly onError?: (error: unknown) => void;
}

/** A dimension whose means vary less is not used (Burda et al. 2015). */
export const USED = 0.01;

export class Space {
  readonly latent: number;
  z: Float32Array;
  points: Points | undefined;
  plane: Plane;
  /** The dimensions, most used first. */
  order: readonly number[];
  /** The variance of each dimension's means, if there are examples. */
  usage: readonly number[] | undefined;
  /** A pad extends from -range to range. */
  range = 3;
  #draws = 0;
  readonly #movers = new Set<(z: Float32Array) => void>();
  readonly #watchers = new Set<() => void>();

  constructor(
    readonly model: ExplorerModel,
    readonly options: ExplorerOptions,
  ) {
    this.latent = model.spec.latent;
    this.z = new Float32Array(this.latent);
    this.order = Array.from(this.z, (_, i) => i);
    this.plane = Plane.ofDimensions(this.latent, 0, Math.min(1, this.latent - 1));
    if (options.points) this.setPoints(options.points);
  }

  get images(): Float32Array | undefined {
    return this.options.images;
  }

  get imageCount(): number {
    return (this.images?.length ?? 0) / valuesOf(this.model.spec);
  }

  image(index: number): Float32Array {
    const size = valuesOf(this.model.spec);
    return this.images!.subarray(index * size, (index + 1) * size);
  }

  readonly nameOf = (label: number): string => this.options.labelNames?.[label] ?? String(label);

  move(z: Float32Array): void {
    this.z = z;
    for (const tell of this.#movers) tell(z);
  }

  /** A position drawn from the prior, a new one each time. */
  draw(): Float32Array {
    return this.drawOf(this.#draws++);
  }

  /** The index-th draw of this seed. */
  drawOf(index: number): Float32Array {
    return normals(this.latent, 7919 * (index + 1) + 104_729 * (this.options.seed ?? 0));
  }

  setPoints(points: Points): void {
    this.points = points;
    const { latent } = this;
    if (points.mean.length >= 2 * latent) {
      const usage = variancesOf(points.mean, latent);
      this.usage = usage;
      // Two dimensions keep their order.
      if (latent > 2) {
        this.order = Array.from(usage, (_, i) => i).sort((a, b) => usage[b]! - usage[a]!);
        this.plane = Plane.ofPoints(points.mean, latent);
      }
    }
    this.range = rangeOf(this.plane.projectAll(points.mean));
    for (const tell of this.#watchers) tell();
  }

  onMove(listener: (z: Float32Array) => void): void {
    this.#movers.add(listener);
  }

  /** Sets new points, which changes the plane and the order of the dimensions. */
  onPoints(listener: () => void): void {
    this.#watchers.add(listener);
  }
}

/** A range that includes 99.5% of coordinates and three of the prior's standard deviations. */
function rangeOf(points: Float32Array): number {
  const far = Float32Array.from(points, Math.abs).sort();
  const most = far[Math.floor(0.995 * (far.length - 1))] ?? 0;
  return Math.max(3, Math.ceil(2.1 * most) / 2);
}
