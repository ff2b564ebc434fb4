// Priors p(z) as plain JSON.

/** A mixture of normal distributions of equal weight, whose means and variances are trained with the weights. */
export interface MixturePrior {
  readonly type: "mixture";
  /** How many, from 1 to 4096. */
  readonly components: number;
}
/** p(z). The standard normal distribution N(0, 1) is "normal". */
export type Prior = "normal" | MixturePrior;
