// Floating-point operations of one training step, for the throughput that the page shows.
import type { ModelSpec } from "webvae";
import { describe } from "webvae/describe";

/** Of products and convolutions, which are nearly all of it, for a batch of so many examples. */
export const stepFlops = (spec: ModelSpec, batch: number) => batch * describe(spec).stepFlops;
