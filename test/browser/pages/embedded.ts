// A page that loads the library with a classic script tag and uses the global `webvae`.
type Library = typeof import("webvae") & { datasets: typeof import("webvae/datasets") };

/** What the page can do in a sandbox, and a complete run of a small convolutional model there. */
async function useGlobal() {
  const { webvae } = globalThis as unknown as { webvae: Library };
  const { conv2d, convTranspose2d, datasets, dense, flatten, reshape, VAE } = webvae;
  const storage = await new Promise<string>((resolve) => {
    try {
      indexedDB.open("probe").onsuccess = () => resolve("open");
    } catch (error) {
      resolve((error as Error).name);
    }
  });
  const vae = await VAE.create(
    {
      input: [28, 28, 1],
      encoder: [conv2d(4, 3, { activation: "relu", stride: 2 }), flatten()],
      latent: 2,
      decoder: [dense(14 * 14 * 4, { activation: "relu" }), reshape(14, 14, 4), convTranspose2d(1, 3, { stride: 2 })],
      likelihood: "bernoulli",
    },
    { seed: 1 },
  );
  const data = datasets.digits({ split: "train", count: 256, seed: 0 });
  const losses: number[] = [];
  for await (const { elbo } of vae.train(data, { epochs: 2, batchSize: 32, learningRate: 0.01 })) losses.push(-elbo);
  const latents = new Float32Array([0.5, -1]);
  const before = await vae.decode(latents);
  const loaded = await VAE.load(await vae.save());
  const after = await loaded.decode(latents);
  // Without a cache it only downloads, which fails here because the server has no such file.
  const mnist = datasets.mnist({ split: "test", baseUrl: "/none" }).catch((error: unknown) => error);
  const fault = (await mnist) as InstanceType<Library["WebvaeError"]>;
  vae.dispose();
  loaded.dispose();
  const same = before.every((value, i) => value === after[i]);
  return { origin: globalThis.origin, storage, losses, same, count: after.length, mnist: [fault.name, fault.code] };
}

Object.assign(globalThis, { useGlobal });
