// The bits of each preset's weights after twenty steps, and the platform they were computed on. Uses only the public
// API, because this folder is also run with the sources of another commit (npm run bits).
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { adapterName } from "../../../node/gpu.js";
import * as datasets from "../../../src/datasets.js";
import { models, VAE, type Dataset, type ModelName, type ModelSpec, type VAEOptions } from "../../../src/index.js";

const STEPS = 20;

const image = [28, 28, 1];

/** Each preset with its usual options. */
export const specs: Readonly<Record<ModelName, ModelSpec>> = {
  mlp: models.mlp(image, 20),
  "mlp-deep": models["mlp-deep"](image, 20),
  minimal: models.minimal(image, 20),
  points: models.points([2], 2),
  conv: models.conv(image, 2),
  conv64: models.conv64([64, 64, 3], 128),
};
export const presets = Object.keys(specs) as readonly ModelName[];

/** Data with four or five full batches, so that the steps go through several epochs and orders. */
const runs: Readonly<Record<ModelName, { readonly batch: number; readonly data: () => Dataset }>> = {
  mlp: { batch: 32, data: () => digits(128) },
  "mlp-deep": { batch: 32, data: () => digits(128) },
  minimal: { batch: 32, data: () => digits(128) },
  points: { batch: 32, data: () => datasets.gaussians({ split: "train", count: 128, seed: 3, variant: "ring" }) },
  conv: { batch: 4, data: () => digits(20) },
  // Its products use the same schedules with a batch of one as with two, including Winograd.
  conv64: { batch: 1, data: () => datasets.sprites({ split: "train", count: 4, seed: 3 }) },
};
const digits = (count: number) => datasets.digits({ split: "train", count, seed: 3 });

/** SHA-256 of the weights that `preset` has after those steps, in hex. */
export async function bitsOf(preset: ModelName, on: Pick<VAEOptions, "device" | "gpu">): Promise<string> {
  const { batch } = runs[preset];
  const data = runs[preset].data();
  // Measuring could choose different schedules each time, some of which may sum in another order.
  using vae = await VAE.create(specs[preset], { ...on, seed: 7, tuning: false });
  const epochs = (STEPS * batch) / data.count;
  for await (const report of vae.train(data, { epochs, batchSize: batch })) {
    if (!Number.isFinite(report.elbo)) throw new Error(`${preset}: the loss is ${report.elbo}`);
  }
  if (vae.trained.steps !== STEPS) throw new Error(`${preset}: ${vae.trained.steps} steps instead of ${STEPS}`);
  return weightsHash(await vae.save());
}

/** Only of a safetensors file's values, ordered by name, since the rest of a file may change. */
export function weightsHash(file: Uint8Array<ArrayBuffer>): string {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  if (names.length === 0) throw new Error("the file has no weights");
  const hash = createHash("sha256");
  for (const name of names.sort()) {
    const [from, to] = header[name]!.data_offsets;
    hash.update(`${name} ${to - from}\n`).update(file.subarray(8 + length + from, 8 + length + to));
  }
  return hash.digest("hex");
}

/** What the bits depend on besides the sources: the adapter with its driver's version and origin, and the processor. */
export function computedOn(adapter: GPUAdapter): string {
  // Only the last part of a path, because this machine's folders mean nothing elsewhere.
  const driver = (process.env["WEBVAE_DRIVER"] ?? "an unknown driver").replace(
    /(^|\s)\/\S*/g,
    (path) => ` ${basename(path)}`,
  );
  return `${adapterName(adapter)}, from ${driver}, ${process.arch}`;
}
