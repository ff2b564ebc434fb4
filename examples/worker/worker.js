// The worker: all use of the library is here. Arrays are transferred, not copied.
import { VAE, models } from "webvae";
import { digits } from "webvae/datasets";

const tell = (/** @type {object} */ message, /** @type {Transferable[]} */ transfer = []) =>
  postMessage(message, { transfer });

/** @param {VAE} vae */
async function sample(vae) {
  const images = await vae.sample(64);
  tell({ images }, [images.buffer]);
}

async function train() {
  const vae = await VAE.create(models.mlp([28, 28, 1], 10));
  const data = digits({ split: "train", count: 2000, seed: 0 });
  let nats = 0;
  for await (const report of vae.train(data, { epochs: 3, batchSize: 64, learningRate: 2e-3 })) {
    nats = -report.elbo;
    tell({ text: `epoch ${report.epoch}, step ${report.step}: ${nats.toFixed(1)} nats` });
    if (report.epochEnd) await sample(vae);
  }
  tell({ text: `trained: ${nats.toFixed(1)} nats`, done: true });
  onmessage = () => void sample(vae);
}

train().catch((error) => tell({ text: error.message }));
