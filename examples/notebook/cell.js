import { VAE, models } from "webvae";
import { digits } from "webvae/datasets";
import { drawImages } from "../draw.js";

/**
 * @param {{ latents: number, display: (node: Element) => void, invalidation: Promise<unknown> }} notebook
 */
export async function cell({ latents, display, invalidation }) {
  const canvas = document.createElement("canvas");
  const output = document.createElement("output");
  display(output);
  display(canvas);

  const controller = new AbortController();
  void invalidation.then(() => controller.abort());
  const { signal } = controller;
  const vae = await VAE.create(models.mlp([28, 28, 1], latents));
  void invalidation.then(() => vae.dispose());

  const data = digits({ split: "train", count: 2000, seed: 0 });
  let nats = 0;
  for await (const report of vae.train(data, { epochs: 3, batchSize: 64, learningRate: 2e-3, signal })) {
    nats = -report.elbo;
    output.value = `epoch ${report.epoch}, step ${report.step}: ${nats.toFixed(1)} nats`;
    if (report.epochEnd) drawImages(canvas, await vae.sample(64, { seed: 1, signal }));
  }
  output.value = `trained: ${nats.toFixed(1)} nats`;
}
