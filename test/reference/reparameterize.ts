// Twin of shaders/reparameterize.wgsl.
import { noiseRow, streamAt } from "./random.js";
import type { Node } from "../../src/graph.js";
import { at, copiesOf, knobOf, tensorAt, weightAt, type Twin, type Values } from "./twin.js";

/** Log variances are held inside plus and minus this. */
const LIMIT = 10;
/** Not Math.min and Math.max alone: a NaN stays one. */
const clamp = (s: number) => Math.min(Math.max(s, -LIMIT), LIMIT);

/** With what the node has of outputs. */
export const reparameterize: Twin = (node, values, step) => {
  const heads = at(values, "heads");
  const copies = copiesOf(node);
  const [examples = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const groups = Math.ceil(latents / 4);
  const z = new Float64Array(examples * copies * latents);
  const ratio = new Float64Array(z.length);
  const kl = new Float64Array(examples * latents);
  const clamped = new Float64Array(examples * groups);
  for (let example = 0; example < examples; example++) {
    for (let copy = 0; copy < copies; copy++) {
      const own = { ...step, sample: step.sample + copy };
      const noise = noiseRow(example, latents, own, streamAt(node, step.stream));
      for (let j = 0; j < latents; j++) {
        const mean = heads[example * 2 * latents + j]!;
        const raw = heads[(example * 2 + 1) * latents + j]!;
        const s = clamp(raw);
        const e = node.attributes.noise === false ? 0 : knobOf(node, step, "noise") * noise[j]!;
        const place = (example * copies + copy) * latents + j;
        z[place] = mean + Math.exp(s / 2) * e;
        if (example >= step.rows) continue;
        // The two densities, each by its definition.
        const posterior = -(e ** 2 + s + Math.log(2 * Math.PI)) / 2;
        const prior = -(z[place] ** 2 + Math.log(2 * Math.PI)) / 2;
        ratio[place] = posterior - (node.attributes.standard === false ? 0 : prior);
        if (copy > 0) continue;
        // expm1: exp(s) - 1 - s cancels near 0 even in f64.
        kl[example * latents + j] = (mean ** 2 + Math.expm1(s) - s) / 2;
        clamped[example * groups + Math.floor(j / 4)]! += Math.abs(raw) > LIMIT ? 1 : 0;
      }
    }
  }
  return { z, kl, clamped, ratio };
};

/** The gradient by the mean and the log variance of one latent of an example, from its draws. */
type Slopes = (example: number, j: number, mean: number, s: number) => readonly [number, number];

/** dheads by the slopes of each latent, and only back inside where a log variance is past a limit. */
export function dheadsBy(node: Node, values: Values, slopes: Slopes) {
  const heads = at(values, "heads");
  const [examples = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const dheads = new Float64Array(heads.length);
  for (let example = 0; example < examples; example++) {
    for (let j = 0; j < latents; j++) {
      const atMean = example * 2 * latents + j;
      const atLog = atMean + latents;
      const raw = heads[atLog]!;
      const [dmean, ds] = slopes(example, j, heads[atMean]!, clamp(raw));
      // A step of descent moves s by -ds: where s is past a limit, only back towards it.
      const outward = (raw > LIMIT && ds < 0) || (raw < -LIMIT && ds > 0);
      dheads[atMean] = dmean;
      dheads[atLog] = outward ? 0 : ds;
    }
  }
  return { dheads };
}

/** The draws of a latent of an example, and the gradients that arrive there. */
export function drawsOf(node: Node, values: Values, example: number, j: number) {
  const [z, dz] = [at(values, "z"), at(values, "dz")];
  const [, , latents = 0] = tensorAt(node, "heads").shape;
  return Array.from({ length: copiesOf(node) }, (_, copy) => {
    const row = example * copiesOf(node) + copy;
    return { row, z: z[row * latents + j]!, g: dz[row * latents + j]! };
  });
}

export const reparameterizeGrad: Twin = (node, values, step) =>
  dheadsBy(node, values, (example, j, mean, s) => {
    // The KL terms have a row an example.
    const weight = weightAt(node, values, step, example, { part: j, copies: 1 });
    const draws = drawsOf(node, values, example, j);
    const through = draws.reduce((sum, { z, g }) => sum + (g * (z - mean)) / 2, 0);
    return [draws.reduce((sum, { g }) => sum + g, 0) + weight * mean, through + (weight * Math.expm1(s)) / 2];
  });

const samplePrior: Twin = (node, _, step) => {
  const [rows = 0, latents = 0] = tensorAt(node, "z").shape;
  const z = new Float64Array(rows * latents);
  for (let row = 0; row < rows; row++) {
    z.set(
      noiseRow(row, latents, step, streamAt(node, step.stream)).map((e) => knobOf(node, step, "noise") * e),
      row * latents,
    );
  }
  return { z };
};

export const reparameterizeTwins: Readonly<Record<string, Twin>> = {
  reparameterize,
  reparameterize_grad: reparameterizeGrad,
  sample_prior: samplePrior,
};
