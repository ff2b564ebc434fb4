// Floating-point operations in one training step, for the throughput that the page shows.
import type { ModelSpec } from "webvae";
import { describe } from "webvae/describe";

/** FLOPs of the matrix products and convolutions, nearly the whole of a step with `batch` examples. */
export const stepFlops = (spec: ModelSpec, batch: number) => batch * describe(spec).stepFlops;
