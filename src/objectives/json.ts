// What a training run minimises, as plain JSON.

/**
 * The bound on log p(x) of several draws of z, log((1/K) sum_k p(x, z_k) / q(z_k|x)), which is tighter the more there are
 * (Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", 2016).
 */
export interface ImportanceObjective {
  readonly type: "iwae";
  /** Draws of each example, K, from 1 to 1024. */
  readonly samples: number;
}
/** What a training run minimises. The negative ELBO, with the weight `beta` of its KL term, is "elbo". */
export type Objective = "elbo" | ImportanceObjective;
