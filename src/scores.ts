// What is said of a model on data: the terms of the ELBO, scores, log-likelihoods; and the sums that they are made of.
import type { Term } from "./graph.js";
import type { Chunk } from "./scheduler.js";

/** Nats per example: sums over pixels and latent dimensions, averaged over examples. */
export interface Terms {
  /** -(reconstruction + kl): a lower bound on log p(x), whatever weight beta the training gives the KL term. */
  readonly elbo: number;
  /** -log p(x|z), one draw of z an example. */
  readonly reconstruction: number;
  /** With a prior other than N(0, 1), log q(z|x) - log p(z) of the same draws. */
  readonly kl: number;
  /**
   * [latent], what each latent adds to `kl`: about 0 for a latent that the model does not use. Empty where the prior does
   * not take the latents apart.
   */
  readonly klPerLatent: Float32Array;
}

/** The ELBO of each example and its two terms, in nats. */
export interface Scores {
  /** [count], -(reconstruction + kl): a lower bound on log p(x) of each example. Their mean is what `elbo` returns. */
  readonly elbo: Float32Array;
  readonly reconstruction: Float32Array;
  readonly kl: Float32Array;
  /** How many steps the weights had been trained. */
  readonly step: number;
}

/** Sums of a run's steps, in f64. */
export class TermSums {
  readonly #sums: readonly Float64Array[];
  #examples = 0;
  /** Log variances outside their limits. */
  clamped = 0;

  /** Of the terms of a graph of `batch` examples. */
  constructor(
    private readonly given: readonly Term[],
    private readonly batch: number,
  ) {
    this.#sums = given.map(({ name, value }) => new Float64Array(name === KL ? value.shape[1]! : 1));
  }

  /** Adds row `index` of the rings, which a step with this number of examples wrote. */
  add(rows: Chunk["rows"], index: number, examples: number): this {
    this.given.forEach(({ value }, term) => {
      const sums = this.#sums[term]!;
      const draws = value.shape[0]! / this.batch;
      const stride = value.storage[1]!;
      rows[value.name]![index]!.forEach((nats, i) => {
        const part = i % stride;
        if (part < value.shape[1]!) sums[part % sums.length]! += nats / draws;
      });
    });
    for (const count of rows.clamped?.[index] ?? []) this.clamped += count;
    this.#examples += examples;
    return this;
  }

  merge(other: TermSums): void {
    other.#sums.forEach((sums, term) => sums.forEach((nats, j) => (this.#sums[term]![j]! += nats)));
    this.clamped += other.clamped;
    this.#examples += other.#examples;
  }

  /** The mean of each term, over the examples. */
  get means(): number[] {
    return this.#sums.map((sums) => sums.reduce((mean, nats) => mean + nats / this.#examples, 0));
  }

  get terms(): Terms {
    const { means } = this;
    const [reconstruction = NaN] = means;
    let kl = 0;
    let klPerLatent = new Float32Array();
    this.given.forEach(({ name }, term) => {
      if (isKl(name)) kl += means[term]!;
      if (name === KL) klPerLatent = Float32Array.from(this.#sums[term]!, (nats) => nats / this.#examples);
    });
    return { elbo: -(reconstruction + kl), reconstruction, kl, klPerLatent };
  }
}

const KL = "kl";
/** Whether a term is the KL divergence, or a part of it. */
export const isKl = (name: string): boolean => name.split(".")[0] === KL;
