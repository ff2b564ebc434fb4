// A plane through the origin of the latent space, which a pad shows and moves in.
import { dot, principalAxes } from "./pca.js";

export type Point = readonly [x: number, y: number];

export class Plane {
  private constructor(
    private readonly across: Float64Array,
    private readonly up: Float64Array,
    readonly names: readonly [string, string],
    /** The fraction of the points' variance within the plane, if it was chosen by variance. */
    readonly share?: number,
  ) {}

  /** The plane spanned by two dimensions. */
  static ofDimensions(latent: number, across: number, up: number): Plane {
    const base = (at: number) => Float64Array.from({ length: latent }, (_, i) => (i === at ? 1 : 0));
    return new Plane(base(across), base(up), [dimensionName(across), dimensionName(up)]);
  }

  /** The plane in which points [n, latent] vary most. */
  static ofPoints(points: Float32Array, latent: number): Plane {
    const { axes, variances, total } = principalAxes(points, latent);
    const share = total > 0 ? (variances[0] + variances[1]) / total : 1;
    return new Plane(axes[0], axes[1], ["first component", "second component"], share);
  }

  project(z: ArrayLike<number>): Point {
    return [dot(z, this.across), dot(z, this.up)];
  }

  /** Projects rows [n, latent] to points [n, 2]. */
  projectAll(rows: Float32Array): Float32Array {
    const latent = this.across.length;
    const points = new Float32Array((2 * rows.length) / latent);
    for (let row = 0; row < rows.length / latent; row++) {
      points.set(this.project(rows.subarray(row * latent, (row + 1) * latent)), 2 * row);
    }
    return points;
  }

  /** Moves `z` parallel to the plane to the given point; its part orthogonal to the plane stays. */
  lift([x, y]: Point, z: ArrayLike<number>): Float32Array {
    const [fromX, fromY] = this.project(z);
    return Float32Array.from(z, (value, i) => value + (x - fromX) * this.across[i]! + (y - fromY) * this.up[i]!);
  }
}

const subscripts = "₀₁₂₃₄₅₆₇₈₉";

/** z₁ for dimension 0. */
export function dimensionName(index: number): string {
  return `z${[...String(index + 1)].map((digit) => subscripts[Number(digit)]).join("")}`;
}
