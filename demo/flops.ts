// Floating-point operations in one training step, for the throughput that the page shows.
import type { ModelSpec } from "webvae";

let counting: typeof import("webvae/describe") | undefined;

/** Loads the code that counts them, which is not needed to train. Never rejects. */
export async function prepareFlops(): Promise<void> {
  counting = await import("webvae/describe").catch(() => undefined);
}

/** Of an example, by its model. */
const counted = new WeakMap<ModelSpec, number>();

/**
 * FLOPs of the matrix products and convolutions, nearly the whole of a step with `batch` examples. Undefined until the
 * code that counts them is loaded.
 */
export function stepFlops(spec: ModelSpec, batch: number): number | undefined {
  const flops = counted.get(spec) ?? counting?.describe(spec).stepFlops;
  if (flops === undefined) return undefined;
  counted.set(spec, flops);
  return batch * flops;
}
