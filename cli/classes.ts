// Samples of a model that is conditioned on labels.
import type { ModelSpec, SampleOptions, VAE } from "../src/index.js";

/** How many classes a conditional model has; undefined for others. */
export const classesOf = ({ condition }: ModelSpec): number | undefined => condition?.classes;

/**
 * `draws` samples of each class in turn, [classes * draws, ...input]. With the same seed for each class, draw i of all of
 * them decodes the same z, so that a grid with a row a class has one z in each column.
 */
export async function samplesByClass(
  vae: VAE,
  draws: number,
  options: SampleOptions & { readonly seed: number },
): Promise<Float32Array> {
  const classes = classesOf(vae.spec) ?? 0;
  const rows: Float32Array[] = [];
  for (let condition = 0; condition < classes; condition++) {
    rows.push(await vae.sample(draws, { ...options, condition }));
  }
  const [first] = rows;
  const all = new Float32Array(classes * (first?.length ?? 0));
  rows.forEach((row, i) => all.set(row, i * row.length));
  return all;
}
