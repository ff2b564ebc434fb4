// A smooth closed path through points of the latent space, followed at constant speed.

/** Segments between two points, for measuring length. */
const PIECES = 32;

export class ClosedPath {
  /** Path length up to the start of each segment, ending with the total. */
  readonly #lengths: number[] = [0];

  /** A path through these points in order and back to the first; there must be at least three. */
  constructor(private readonly points: readonly Float32Array[]) {
    if (points.length < 3) throw new RangeError(`a closed path needs at least 3 points, not ${points.length}`);
    let from = this.#on(0);
    for (let piece = 1; piece <= points.length * PIECES; piece++) {
      const to = this.#on(piece / PIECES);
      this.#lengths.push(this.#lengths.at(-1)! + distance(from, to));
      from = to;
    }
  }

  get length(): number {
    return this.#lengths.at(-1)!;
  }

  /** The position after a fraction of the path; 1 is the same as 0, and larger values continue from there. */
  at(share: number): Float32Array {
    const wanted = (share - Math.floor(share)) * this.length;
    let [low, high] = [0, this.#lengths.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lengths[middle]! <= wanted) low = middle;
      else high = middle;
    }
    const piece = this.#lengths[high]! - this.#lengths[low]!;
    return this.#on((low + (piece > 0 ? (wanted - this.#lengths[low]!) / piece : 0)) / PIECES);
  }

  /** A closed Catmull-Rom spline: at integer i it passes through point i, with a continuous slope. */
  #on(t: number): Float32Array {
    const count = this.points.length;
    const i = Math.floor(t);
    const u = t - i;
    const [a, b, c, d] = [i - 1, i, i + 1, i + 2].map((at) => this.points[((at % count) + count) % count]!);
    return b!.map((_, k) => {
      const [slopeB, slopeC, rise] = [(c![k]! - a![k]!) / 2, (d![k]! - b![k]!) / 2, c![k]! - b![k]!];
      return b![k]! + u * (slopeB + u * (3 * rise - 2 * slopeB - slopeC + u * (slopeB + slopeC - 2 * rise)));
    });
  }
}

/** A short round trip through all points: always to the nearest, then crossings are removed (2-opt). */
export function roundTrip(points: readonly Float32Array[]): Float32Array[] {
  const left = [...points];
  const trip = left.splice(0, 1);
  while (left.length > 0) {
    const here = trip.at(-1)!;
    let nearest = 0;
    left.forEach((point, i) => {
      if (distance(here, point) < distance(here, left[nearest]!)) nearest = i;
    });
    trip.push(...left.splice(nearest, 1));
  }
  for (let improved = true; improved;) {
    improved = false;
    for (let i = 0; i < trip.length - 1; i++) {
      for (let j = i + 2; j < trip.length; j++) {
        const [a, b, c, d] = [trip[i]!, trip[i + 1]!, trip[j]!, trip[(j + 1) % trip.length]!];
        if (a === d || distance(a, c) + distance(b, d) >= distance(a, b) + distance(c, d) - 1e-9) continue;
        trip.splice(i + 1, j - i, ...trip.slice(i + 1, j + 1).reverse());
        improved = true;
      }
    }
  }
  return trip;
}

export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
