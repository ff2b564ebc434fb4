// Twin of shaders/gradient_norm.wgsl.
import { size } from "../../src/tensor.js";
import { at, type Twin } from "./twin.js";

const gradientNorm: Twin = (node, values, step) => {
  const norms = new Float64Array(size(node.outputs.norms!.shape));
  // Runs of 4 values go to the parts in turn.
  at(values, "gradients").forEach(
    (g, i) => (norms[Math.floor(i / 4) % norms.length]! += (g / step.gradient_scale) ** 2),
  );
  const health = at(values, "health").slice();
  // A square overflows in f32 where its root is beyond 1.8e19.
  if (!norms.every((square) => Math.abs(square) < 2 ** 128)) health[1] = step.step + 1;
  if (![at(values, "reconstruction"), at(values, "kl")].every((loss) => loss.every(Number.isFinite))) health[0] = 1;
  return { norms, health };
};

const totalNorm: Twin = (_, values) => ({
  norm: Float64Array.of(Math.sqrt(at(values, "norms").reduce((sum, square) => sum + square, 0))),
});

export const gradientNormTwins: Readonly<Record<string, Twin>> = { gradient_norm: gradientNorm, total_norm: totalNorm };
