// A smooth closed way through points of the latent space, gone along at an even pace.

/** Pieces of a stretch between two points, of which lengths are taken. */
const PIECES = 32;

export class ClosedPath {
  /** Length of the way up to each piece's start, and of the whole at the end. */
  readonly #lengths: number[] = [0];

  /** Through these points in their order and back to the first; at least three. */
  constructor(private readonly points: readonly Float32Array[]) {
    if (points.length < 3) throw new RangeError(`a closed path takes 3 points or more, not ${points.length}`);
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

  /** The place after a share of the way; 1 is where 0 is, and it goes on from there. */
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

  /** A closed Catmull-Rom spline: at the whole number i it is at point i, and its slope has no jump there. */
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

/** A short round trip through all points: each time to the nearest, then crossings are undone (2-opt). */
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
