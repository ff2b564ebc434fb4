// Sizes that reveal index errors: one, odd ones, and both sides of the tile and workgroup sizes.
import fc from "fast-check";

export const edges = [1, 3, 7, 63, 64, 65, 129] as const;

/**
 * Shapes of `rank` sizes in which every edge size occurs once on every axis, in different combinations; the full
 * product would have hundreds.
 */
export function edgeShapes(rank: number): number[][] {
  return edges.map((_, i) => Array.from({ length: rank }, (_, axis) => edges[(i + axis * (i + 2)) % edges.length]!));
}

/** Seeds the random shapes; another may be given in the environment. */
export const SEED = Number(process.env.SEED ?? 1);

/** `count` random shapes with sizes up to `limits`, the same each time. */
export function randomShapes(limits: readonly number[], count: number): number[][] {
  const shape = fc.tuple(...limits.map((max) => fc.integer({ min: 1, max })));
  return fc.sample(shape, { seed: SEED, numRuns: count });
}

/** Images with and without padded channels. */
export const imageShapes = [
  [1, 1, 1, 1],
  [3, 28, 28, 1],
  [2, 5, 7, 3],
  [4, 9, 6, 5],
  [4, 3, 5, 8],
] as const;
