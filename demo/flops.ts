// Floating-point operations in one training step, for the throughput that the page shows.
import type { ModelSpec } from "webvae";

let counting: typeof import("webvae/describe") | undefined;

/** Loads the code that counts them, which is not needed to train. Never rejects. */
export async function prepareFlops(): Promise<void> {
  counting = await import("webvae/describe").catch(() => undefined);
}

/**
 * FLOPs of the matrix products and convolutions, nearly the whole of a step with `batch` examples. Undefined until the
 * code that counts them is loaded.
 */
export const stepFlops = (spec: ModelSpec, batch: number): number | undefined =>
  counting && batch * counting.describe(spec).stepFlops;
