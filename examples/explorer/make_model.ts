// Trains digits.safetensors, the page's model: two latents, small enough for a page, trained on generated digits.
//   node node/start.mjs examples/explorer/make_model.ts [epochs]
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeGpu } from "../../node/index.js";
import { digits } from "../../src/datasets.js";
import { dense, VAE, type ModelSpec } from "../../src/index.js";

const EPOCHS = Number(process.argv[2] ?? 60);
const relu = { activation: "relu" } as const;

const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(24, relu), dense(24, relu)],
  latent: 2,
  decoder: [dense(32, relu), dense(64, relu), dense(784)],
  likelihood: "bernoulli",
};
const train = digits({ split: "train", count: 20_000, seed: 1 });
const test = digits({ split: "test", count: 2000, seed: 1 });
const vae = await VAE.create(spec, { gpu: await nodeGpu(), seed: 1, tuning: false });
const steps = EPOCHS * Math.floor(train.count / 128);
// Decays linearly to a tenth of its initial value.
const learningRate = ({ step }: { readonly step: number }) => 2e-3 * (1 - (0.9 * step) / steps);
for await (const { epoch, epochEnd } of vae.train(train, { epochs: EPOCHS, batchSize: 128, learningRate, test })) {
  if (epochEnd?.test) console.log(`epoch ${epoch}: test -ELBO ${(-epochEnd.test.elbo).toFixed(1)} nats`);
}
const bytes = await vae.save();
writeFileSync(join(process.cwd(), "examples/explorer/digits.safetensors"), bytes);
console.log(`examples/explorer/digits.safetensors: ${bytes.length} bytes`);
vae.dispose();
process.exit(0);
