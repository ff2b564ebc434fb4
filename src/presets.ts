// Models ready to use, by name. Where they come from is said beside each.
import { dense, product, shapeAt, type ModelSpec } from "./spec.js";

const relu = { activation: "relu" } as const;

function mlp(input: readonly number[], latent: number): ModelSpec {
  const values = product(shapeAt(input, "input"));
  return {
    input,
    encoder: [dense(400, relu)],
    latent,
    decoder: [dense(400, relu), dense(values)],
    likelihood: "bernoulli",
  };
}

function deep(input: readonly number[], latent: number): ModelSpec {
  const values = product(shapeAt(input, "input"));
  return {
    input,
    encoder: [dense(256, relu), dense(128, relu)],
    latent,
    decoder: [dense(128, relu), dense(256, relu), dense(values)],
    likelihood: "bernoulli",
  };
}

function minimal(input: readonly number[], latent: number): ModelSpec {
  const values = product(shapeAt(input, "input"));
  return { input, encoder: [], latent, decoder: [dense(values)], likelihood: "bernoulli" };
}

function points(input: readonly number[], latent: number): ModelSpec {
  const values = product(shapeAt(input, "input"));
  return {
    input,
    encoder: [dense(20, relu), dense(10, relu)],
    latent,
    decoder: [dense(10, relu), dense(20, relu), dense(values)],
    likelihood: { type: "gaussian", variance: "learned" },
  };
}

/**
 * Each makes a ModelSpec for examples of shape `input` with `latent` dimensions. Throws INVALID_SPEC.
 * mlp: PyTorch's basic VAE example (one hidden layer of 400; latent 20 there). mlp-deep: hidden layers of 256 and 128.
 * minimal: linear heads and a linear decoder. points: for points in the plane, a Gaussian with a learned sigma.
 */
export const models = { mlp, "mlp-deep": deep, minimal, points } as const;

export type ModelName = keyof typeof models;
