// Likelihoods p(x|z) as plain JSON.

/** A scale for all values: fixed, or "learned" with the weights. */
export type ScaleOrLearned = number | "learned";

/** Values in [0, 1] by their logits, which are the decoder's outputs. */
export interface BernoulliLikelihood {
  readonly type: "bernoulli";
}
/** A normal distribution around the decoder's outputs. */
export interface GaussianLikelihood {
  readonly type: "gaussian";
  /** From 1e-5 to 1e10. */
  readonly variance: ScaleOrLearned;
}
/** A Laplace distribution around the decoder's outputs: outliers weigh less, since a loss grows as |x - m|. */
export interface LaplaceLikelihood {
  readonly type: "laplace";
  /** b of p(x) = exp(-|x - m| / b) / (2 b), from 1e-5 to 1e10. */
  readonly scale: ScaleOrLearned;
}
/** p(x|z). "bernoulli" is short for { type: "bernoulli" }. */
export type Likelihood = "bernoulli" | BernoulliLikelihood | GaussianLikelihood | LaplaceLikelihood;
