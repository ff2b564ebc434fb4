// The ELBO of each example by itself.
import type { VAE } from "webvae";
import { valuesOf } from "./shapes.js";

/** Draws of z an example. */
const DRAWS = 2;

export async function exampleElbos(vae: VAE, x: Float32Array): Promise<number[]> {
  const count = x.length / valuesOf(vae.spec);
  const examples = { name: "examples", shape: vae.spec.input, count, values: x };
  return [...(await vae.score(examples, { samples: DRAWS })).elbo];
}
