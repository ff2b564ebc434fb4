// How far a kernel's f32 may deviate from its twin's f64, by op and, where they differ, by output.
import type { Tolerance } from "./compare.js";

const EXACT: Tolerance = { nmse: 0, absolute: 0, relative: 0, because: "integers, or copies" };

const product: Tolerance = {
  nmse: 1e-11,
  absolute: 4e-6,
  relative: 4e-6,
  because:
    "sums of up to 1,025 products, about 1 in all: f32 rounds each partial sum to 6e-8; the most seen is 1.2e-6, and " +
    "2.3e-6 of the bias of a transposed convolution, of 1,600 pixels",
};

const noise: Tolerance = {
  nmse: 3e-7,
  absolute: 3e-3,
  relative: 0,
  because: "WGSL lets sin and cos be 2^-11 off, and a radius is at most 5.8; the most seen is 6e-5",
};

const term: Tolerance = {
  nmse: 1e-10,
  absolute: 4e-6,
  relative: 4e-6,
  because: "exp and log are some 3 ulp off, and 64 terms are summed; the most seen is 1e-6",
};

const weighed: Tolerance = {
  nmse: 1e-9,
  absolute: 2e-5,
  relative: 5e-5,
  because: "log w is about 100, of which f32 keeps 8e-6, and a weight is its exponential; the most seen is 1.4e-5",
};

const gathered: Tolerance = {
  nmse: 1e-12,
  absolute: 2e-6,
  relative: 2e-6,
  because: "sums of up to 49 values and an activation's slope; the most seen is 8e-7",
};

const activated: Tolerance = {
  nmse: 1e-12,
  absolute: 1e-6,
  relative: 1e-6,
  because: "a rounding or two and an activation, whose exp or tanh is some 3 ulp off; the most seen is 4e-7",
};

const moment: Tolerance = {
  nmse: 1e-11,
  absolute: 4e-6,
  relative: 2e-5,
  because:
    "squares are summed about one of the values, up to 4 deviations off: 17 times what is left; the most seen is 8e-6",
};

const normalized: Tolerance = {
  nmse: 1e-12,
  absolute: 2e-6,
  relative: 2e-6,
  because: "a square root, four roundings of values about 1 and an activation; the most seen is under 8e-7",
};

export const tolerances: Readonly<Record<string, Tolerance>> = {
  gather_bytes: { nmse: 1e-13, absolute: 0, relative: 2e-7, because: "one division" },
  gather_floats: EXACT,
  linear: product,
  linear_grad_input: product,
  linear_grad_weight: product,
  linear_grad: product,
  conv2d: product,
  conv2d_grad_input: product,
  conv2d_grad_weight: product,
  conv2d_transpose: product,
  conv2d_transpose_grad_input: product,
  conv2d_transpose_grad_weight: product,
  winograd_large: gathered,
  winograd_small: gathered,
  winograd_weight: gathered,
  winograd_to_small: gathered,
  winograd_to_large: gathered,
  "winograd_to_weight.dW": gathered,
  "winograd_to_weight.db": product,
  winograd_down: product,
  winograd_up: product,
  winograd_across: product,
  max_pool: EXACT,
  max_pool_grad: gathered,
  avg_pool: gathered,
  avg_pool_grad: gathered,
  upsample_nearest: EXACT,
  upsample_nearest_grad: gathered,
  upsample_bilinear: gathered,
  upsample_bilinear_grad: gathered,
  batch_norm_moments: moment,
  batch_norm_combine: moment,
  batch_norm_running: normalized,
  batch_norm: normalized,
  batch_norm_sums: product,
  batch_norm_grad_params: product,
  batch_norm_grad: normalized,
  group_norm_moments: moment,
  group_norm_combine: moment,
  group_norm: normalized,
  group_norm_sums: product,
  group_norm_grad_params: product,
  group_norm_grad: normalized,
  add: activated,
  add_grad: activated,
  add_gradients: { nmse: 1e-13, absolute: 1e-7, relative: 1.2e-7, because: "one rounding of f32" },
  dropout: { nmse: 1e-13, absolute: 0, relative: 2e-7, because: "the rounding of 1 / (1 - rate), and of the product" },
  dropout_grad: activated,
  reshape: EXACT,
  reshape_grad: activated,
  "reparameterize.z": noise,
  "reparameterize.kl": term,
  "reparameterize.clamped": EXACT,
  "draws.z": noise,
  "draws.kl": term,
  "draws.clamped": EXACT,
  "draws.ratio": {
    ...noise,
    absolute: 1.8e-2,
    because: "the noise's own error, 3e-3 at most, times the noise, 5.8 at most; the most seen is 3.3e-3",
  },
  draws_grad: term,
  draws_grad_over: term,
  draws_grad_ratio: term,
  draws_grad_ratio_over: term,
  reparameterize_grad: term,
  sample_prior: noise,
  bernoulli: term,
  bernoulli_grad: term,
  bernoulli_sample: EXACT,
  gaussian: term,
  gaussian_grad: term,
  gaussian_sample: noise,
  laplace: term,
  laplace_grad: term,
  laplace_sample: noise,
  mixture: term,
  mixture_grad: term,
  mixture_grad_heads: product,
  mixture_sample: noise,
  importance: weighed,
  importance_prior: weighed,
  gather_labels: EXACT,
  concat: EXACT,
  concat_grad: activated,
  sum_pairs: product,
  sum_two_pairs: product,
  sum_all: product,
  "gradient_norm.norms": product,
  "gradient_norm.health": EXACT,
  "total_norm.norm": product,
  adam: { nmse: 1e-12, absolute: 1e-7, relative: 1e-6, because: "a few roundings, a square root, a division" },
};

export function toleranceOf(op: string, output: string): Tolerance {
  const found = tolerances[`${op}.${output}`] ?? tolerances[op];
  if (!found) throw new Error(`test/support/tolerances.ts has no line for ${op}`);
  return found;
}

/**
 * For values stored in f16: the same, plus the rounding of the stored value, 2^-11 of it, or half of 2^-24 where f16
 * gets no finer. Sums stay f32, and the inputs are exact in f16 for the twin too.
 */
export function inHalf({ nmse, absolute, relative, because }: Tolerance): Tolerance {
  return {
    nmse: nmse + 2 ** -22,
    absolute: absolute + 2 ** -25,
    relative: relative + 2 ** -11,
    because: `${because}; and f16's rounding`,
  };
}
