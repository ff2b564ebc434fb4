// Trains in Node on generated digits and saves the model. In a folder with a package.json:
//   npm install webvae webgpu
//   node train.mjs
import { writeFile } from "node:fs/promises";
import { models, VAE } from "webvae";
import { digits } from "webvae/datasets";
import { nodeGpu } from "webvae/node";

const vae = await VAE.create(models.minimal([28, 28, 1], 8), { gpu: await nodeGpu(), seed: 0 });
console.log(`on ${vae.adapter.name}`);
const data = digits({ split: "train", count: 2000, seed: 0 });
for await (const { epoch, epochEnd } of vae.train(data, { epochs: 3, learningRate: 3e-3 })) {
  if (epochEnd) console.log(`epoch ${epoch}: ${(-epochEnd.train.elbo).toFixed(1)} nats`);
}
await writeFile("digits.safetensors", await vae.save());
vae.dispose();
