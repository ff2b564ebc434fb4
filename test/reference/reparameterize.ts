// Twin of shaders/reparameterize.wgsl.
import { noiseRow, streamAt } from "./random.js";
import { at, knobOf, tensorAt, weightAt, type Twin } from "./twin.js";

/** Log variances are held inside plus and minus this. */
const LIMIT = 10;
/** Not Math.min and Math.max alone: a NaN stays one. */
const clamp = (s: number) => Math.min(Math.max(s, -LIMIT), LIMIT);

const reparameterize: Twin = (node, values, step) => {
  const heads = at(values, "heads");
  const [rows = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const groups = Math.ceil(latents / 4);
  const z = new Float64Array(rows * latents);
  const kl = new Float64Array(rows * latents);
  const clamped = new Float64Array(rows * groups);
  for (let row = 0; row < rows; row++) {
    const noise = noiseRow(row, latents, step, streamAt(node, step.stream));
    for (let j = 0; j < latents; j++) {
      const mean = heads[row * 2 * latents + j]!;
      const raw = heads[(row * 2 + 1) * latents + j]!;
      const s = clamp(raw);
      z[row * latents + j] =
        node.attributes.noise === false ? mean : mean + knobOf(node, step, "noise") * Math.exp(s / 2) * noise[j]!;
      if (row >= step.rows) continue;
      // expm1: exp(s) - 1 - s cancels near 0 even in f64.
      kl[row * latents + j] = (mean ** 2 + Math.expm1(s) - s) / 2;
      clamped[row * groups + Math.floor(j / 4)]! += Math.abs(raw) > LIMIT ? 1 : 0;
    }
  }
  return { z, kl, clamped };
};

const reparameterizeGrad: Twin = (node, values, step) => {
  const [heads, z, dz] = [at(values, "heads"), at(values, "z"), at(values, "dz")];
  const [rows = 0, , latents = 0] = tensorAt(node, "heads").shape;
  const dheads = new Float64Array(heads.length);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < latents; j++) {
      const atMean = row * 2 * latents + j;
      const atLog = atMean + latents;
      const mean = heads[atMean]!;
      const raw = heads[atLog]!;
      const g = dz[row * latents + j]!;
      const weight = weightAt(node, values, step, row, j);
      const ds = (g * (z[row * latents + j]! - mean)) / 2 + (weight * Math.expm1(clamp(raw))) / 2;
      // A step of descent moves s by -ds: where s is past a limit, only back towards it.
      const outward = (raw > LIMIT && ds < 0) || (raw < -LIMIT && ds > 0);
      dheads[atMean] = g + weight * mean;
      dheads[atLog] = outward ? 0 : ds;
    }
  }
  return { dheads };
};

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
  reparameterize_grad_over: reparameterizeGrad,
  sample_prior: samplePrior,
};
