// Every public method of a VAE, on a model that takes milliseconds.
import * as datasets from "../../src/datasets.js";
import { dense, VAE, type ModelSpec, type VAEOptions } from "../../src/index.js";

const relu = { activation: "relu" } as const;
export const spec: ModelSpec = {
  input: [6],
  encoder: [dense(8, relu), { type: "batch_norm" }],
  latent: 2,
  decoder: [dense(8, relu), dense(6)],
  likelihood: { type: "gaussian", variance: 0.5 },
};
const values = Float32Array.from({ length: 6 * 70 }, (_, i) => Math.sin(i * i));
export const data = datasets.fromArray(values, { shape: [6], name: "waves" });
const few = datasets.take(data, 10);
const COPY = 0x04 | 0x08; // GPUBufferUsage.COPY_SRC | COPY_DST

export interface Call {
  /** What the VAE must do first. Default: nothing. */
  readonly before?: (vae: VAE) => Promise<unknown>;
  readonly run: (vae: VAE) => Promise<unknown>;
}

const training = { epochs: 2, batchSize: 32 };
const trainOnce = async (vae: VAE) => void (await vae.train(data, { steps: 1, batchSize: 32 }));

async function iterate(vae: VAE): Promise<unknown> {
  let last: unknown;
  for await (const report of vae.train(data, { ...training, test: few })) last = report;
  return last;
}

const pages = new WeakMap<VAE, GPUBuffer>();

/** A call that writes `rows` to the page's buffer, which is created before, so its errors would be the page's. */
const into = (rows: number, run: (vae: VAE, to: GPUBuffer) => Promise<unknown>): Call => ({
  before: (vae) => {
    pages.set(vae, vae.gpuDevice.createBuffer({ size: 4 * 6 * rows, usage: COPY }));
    return Promise.resolve();
  },
  run: (vae) => run(vae, pages.get(vae)!),
});

/** By the name in the README's table, and the variant. */
export const vaeCalls: Readonly<Record<string, Call>> = {
  "train, iterated, with a test set": { run: iterate },
  "train, awaited": { run: async (vae) => vae.train(data, training) },
  "train, clipped": { run: async (vae) => vae.train(data, { ...training, clipNorm: 1, dropLast: true }) },
  "train, importance-weighted": {
    run: async (vae) => vae.train(data, { ...training, objective: { type: "iwae", samples: 2 } }),
  },
  elbo: { run: (vae) => vae.elbo(data, { samples: 2 }) },
  score: { run: (vae) => vae.score(data) },
  logLikelihood: { run: (vae) => vae.logLikelihood(data, { samples: 70 }) },
  encode: { run: (vae) => vae.encode(data) },
  reconstruct: { run: (vae) => vae.reconstruct(few) },
  "reconstruct with noise": { run: (vae) => vae.reconstruct(data, { noise: true }) },
  sample: { run: (vae) => vae.sample(70) },
  "sample with noise": { run: (vae) => vae.sample(3, { noise: true }) },
  "sample to a buffer": into(130, (vae, to) => vae.sample(130, { to })),
  decode: { run: (vae) => vae.decode(new Float32Array(20)) },
  "decode to a buffer": into(10, (vae, to) => vae.decode(new Float32Array(20), { to })),
  save: { run: (vae) => vae.save() },
  "save the decoder in f16": { run: (vae) => vae.save({ part: "decoder", precision: "f16" }) },
  "weights, one read": { run: (vae) => vae.weights.get("log_variance.weight") },
  "weights, one set and read": {
    before: trainOnce,
    run: async (vae) => {
      await vae.weights.set("mean.weight", new Float32Array(16).fill(0.5));
      return vae.weights.get("mean.weight");
    },
  },
  "save with its training state": { before: trainOnce, run: (vae) => vae.save({ trainingState: true }) },
};

export const create = (options: VAEOptions): Promise<VAE> => VAE.create(spec, { tuning: false, ...options });

let saved: Promise<Uint8Array> | undefined;
/** A file with its training state, made once on an undisturbed device. */
export function savedOn(device: GPUDevice): Promise<Uint8Array> {
  saved ??= (async () => {
    const vae = await create({ device });
    await trainOnce(vae);
    const bytes = await vae.save({ trainingState: true });
    vae.dispose();
    return bytes;
  })();
  return saved;
}
