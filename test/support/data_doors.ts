// Every public call that takes data, by argument, on a VAE without a GPU; and each call's result.
import { expect } from "vitest";
import * as datasets from "../../src/datasets.js";
import { dense, VAE, WebvaeError, type Dataset, type Examples, type ModelSpec } from "../../src/index.js";
import { nullDevice } from "./gpu.js";

export const shape = [2, 2, 3];
export const WIDTH = 12;
const spec: ModelSpec = { input: shape, encoder: [], latent: WIDTH, decoder: [dense(WIDTH)], likelihood: "bernoulli" };
const device = await nullDevice();
export const vae = await VAE.create(spec, { device, tuning: false });

/** Two examples of zeros and ones, which any type can represent, or three if they are bytes. */
export const bits = Array.from({ length: 2 * WIDTH }, (_, i) => (i * i + i) % 3 && 1);
export const rows = [bits.slice(0, WIDTH), bits.slice(WIDTH)];
export const good = datasets.fromArray(Float32Array.from(bits), { shape, name: "good" });
export const as = <T>(given: unknown) => given as T;
const drain = async (run: AsyncIterable<unknown>) => {
  for await (const report of run) void report;
};

/** Keyed by argument. Each returns the outcome. */
export const doors: Record<string, Record<string, (given: unknown) => unknown>> = {
  numbers: {
    fromArray: (given) => datasets.fromArray(as(given), { shape }),
    encode: (given) => vae.encode(as<Examples>(given)),
    reconstruct: (given) => vae.reconstruct(as<Examples>(given)),
  },
  latents: { decode: (given) => vae.decode(as(given)) },
  datasets: {
    train: (given) => drain(vae.train(as(given), { steps: 1, batchSize: 1 })),
    "train's test set": (given) => drain(vae.train(good, { steps: 1, batchSize: 1, test: as<Dataset>(given) })),
    elbo: (given) => vae.elbo(as(given)),
    take: (given) => datasets.take(as(given), 1),
    standardise: (given) => datasets.standardise(as(given)),
  },
  pictures: { fromImageData: (given) => datasets.fromImageData(as(given), { channels: 3 }) },
  labels: { "fromArray's labels": (given) => datasets.fromArray(new Uint8Array(24), { shape, labels: as(given) }) },
  files: {
    fromNpy: (given) => datasets.fromNpy(as(given)),
    "fromNpy's labels": (given) => datasets.fromNpy(npy, { labels: as<Uint8Array>(given) }),
    imagesFromIdx: (given) => datasets.imagesFromIdx({ images: as(given), name: "i" }),
    "imagesFromIdx's labels": (given) => datasets.imagesFromIdx({ images: idx, labels: as(given), name: "i" }),
    load: (given) => VAE.load(as(given), { device }),
  },
};
const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7);
const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), }".padEnd(117);
const npy = Buffer.from(`\x93NUMPY\x01\x00v\x00${header}\n\x07`, "latin1");

/** What `act` threw or rejected with; undefined if it did neither. */
export async function thrown(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error ?? "nothing";
  }
}

export const refuses = (kind: string, given: unknown, pattern: RegExp) => refusesAt(doors[kind]!, kind, given, pattern);

export async function refusesAt(
  asked: (typeof doors)[string],
  kind: string,
  given: unknown,
  pattern: RegExp,
): Promise<void> {
  for (const [door, act] of Object.entries(asked)) {
    const error = await thrown(() => act(given));
    expect(error, `${door} of ${kind}`).toBeInstanceOf(WebvaeError);
    const { code, message } = error as WebvaeError;
    expect([door, code]).toEqual([door, kind === "files" ? "INVALID_FILE" : "INVALID_DATA"]);
    expect(`${door}: ${message}`).toMatch(pattern);
  }
}
