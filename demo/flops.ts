// Floating-point operations of one training step, for the throughput that the page shows.
import type { ModelSpec } from "webvae";
import { describe } from "webvae/describe";

/** FLOPs of products and convolutions, which are nearly all, in a step with `batch` examples. */
export const stepFlops = (spec: ModelSpec, batch: number) => batch * describe(spec).stepFlops;
