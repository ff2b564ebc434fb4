// Twin of shaders/gradient_norm.wgsl.
import { at, type Twin } from "./twin.js";

/** The squares are left in this many sums; each takes runs of 256 values in turn. */
const PARTS = 64;
const RUN = 256;

const gradientNorm: Twin = (_, values) => {
  const norms = new Float64Array(PARTS);
  at(values, "gradients").forEach((g, i) => (norms[Math.floor(i / RUN) % PARTS]! += g * g));
  const finite = [at(values, "reconstruction"), at(values, "kl")].every((loss) => loss.every(Number.isFinite));
  return { norms, halted: finite ? at(values, "halted").slice() : Float64Array.of(1) };
};

export const gradientNormTwins: Readonly<Record<string, Twin>> = { gradient_norm: gradientNorm };
