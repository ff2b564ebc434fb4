// Paths from one latent to another.

export type Way = "spherical" | "linear";

export function between(a: ArrayLike<number>, b: ArrayLike<number>, t: number, way: Way): Float32Array {
  return way === "linear" ? mix(a, b, 1 - t, t) : spherical(a, b, t);
}

/**
 * Follows the arc between the directions of a and b while the length changes linearly. In many dimensions the mass of
 * N(0, 1) lies on a shell, which a straight line leaves (White 2016, "Sampling generative networks").
 */
function spherical(a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array {
  const [la, lb] = [length(a), length(b)];
  if (la < 1e-6 || lb < 1e-6) return mix(a, b, 1 - t, t);
  let cosine = 0;
  for (let i = 0; i < a.length; i++) cosine += (a[i]! / la) * (b[i]! / lb);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  // There is no arc between equal directions, and no unique one between opposite ones.
  if (angle < 1e-4 || angle > Math.PI - 1e-4) return mix(a, b, 1 - t, t);
  const far = (1 - t) * la + t * lb;
  const share = (part: number) => (far * Math.sin(part * angle)) / Math.sin(angle);
  return mix(a, b, share(1 - t) / la, share(t) / lb);
}

/** `steps` latents from a to b, inclusive, as rows. */
export function steps(a: ArrayLike<number>, b: ArrayLike<number>, count: number, way: Way): Float32Array {
  const rows = new Float32Array(count * a.length);
  for (let i = 0; i < count; i++) rows.set(between(a, b, i / (count - 1), way), i * a.length);
  return rows;
}

const length = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));

const mix = (a: ArrayLike<number>, b: ArrayLike<number>, p: number, q: number) =>
  Float32Array.from(a, (value, i) => p * value + q * b[i]!);
