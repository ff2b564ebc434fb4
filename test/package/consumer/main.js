// A user's page: trains a small convolutional VAE, which needs the library's layers.js, and saves and loads it, which
// needs files.js.
import { conv2d, convTranspose2d, dense, flatten, reshape, VAE } from "webvae";
import { fromArray } from "webvae/datasets";

async function use() {
  /** @type {import("webvae").ModelSpec} */
  const spec = {
    input: [8, 8, 1],
    encoder: [conv2d(4, 3, { activation: "relu", stride: 2 }), flatten()],
    latent: 2,
    decoder: [dense(4 * 4 * 4, { activation: "relu" }), reshape(4, 4, 4), convTranspose2d(1, 3, { stride: 2 })],
    likelihood: "bernoulli",
  };
  // The upper half of each picture is white.
  const values = Uint8Array.from({ length: 32 * 64 }, (_, i) => (i % 64 < 32 ? 255 : 0));
  const data = fromArray(values, { shape: [8, 8, 1] });
  const vae = await VAE.create(spec, { seed: 1, tuning: false });
  const losses = [];
  for await (const { elbo } of vae.train(data, { epochs: 8, batchSize: 16, learningRate: 0.05 })) losses.push(-elbo);
  const latents = new Float32Array([0.5, -1]);
  const before = await vae.decode(latents);
  const loaded = await VAE.load(await vae.save());
  const after = await loaded.decode(latents);
  vae.dispose();
  loaded.dispose();
  return { losses, before: [...before], after: [...after] };
}

globalThis.used = use();
