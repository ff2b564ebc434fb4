// Loads data, and creates models for it on the worker's one device.
import { dense, VAE, type ModelSpec } from "webvae";
import { specFor } from "../architecture.js";
import { dataFromFiles } from "../data/files.js";
import { loadData } from "../data/load.js";
import type { Loaded, LoadOptions } from "../data/loaded.js";
import { PageFault } from "../faults.js";
import type { Settings } from "../settings.js";

/** Keeps the device that all models share, so that shaders are compiled only once. */
export class Devices {
  #first: Promise<VAE> | undefined;

  /** Throws what VAE.create throws if there is no WebGPU. */
  async device(): Promise<GPUDevice> {
    this.#first ??= VAE.create(smallest);
    const first = this.#first;
    const forget = () => {
      if (this.#first === first) this.#first = undefined;
    };
    try {
      const device = (await first).gpuDevice;
      void device.lost.then(forget);
      return device;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

/** A model whose only purpose is to hold the device, requested by the library with all the adapter allows. */
const smallest: ModelSpec = {
  input: [1],
  encoder: [],
  latent: 1,
  decoder: [dense(1)],
  likelihood: { type: "gaussian", variance: 1 },
};

export async function dataFor(settings: Settings, files: readonly File[], options: LoadOptions): Promise<Loaded> {
  if (files.length > 0) {
    return dataFromFiles(files, options);
  }
  if (settings.data === "files") {
    throw new PageFault("Your own files are needed", "The page cannot reopen them by itself.", [
      "Choose the same files again, or drop them on the page.",
    ]);
  }
  return loadData(settings.data, { ...options, seed: 0 });
}

/** Reduces the batch to what the visitor's own few examples can fill, so that a first try trains at once. */
export function withFewer(settings: Settings, { train }: Loaded): Settings {
  return { ...settings, batch: Math.min(settings.batch, train.count) };
}

/** Throws a PageFault if there are too few examples for a batch, or the model expects other examples. */
export function checkFit(spec: ModelSpec, loaded: Loaded, settings: Settings): void {
  const { shape, train } = loaded;
  if (String(spec.input) !== String(shape)) {
    throw new PageFault(
      "The model does not fit the data",
      `It expects examples of shape ${shape2(spec.input)}; ${loaded.name} has ${shape2(shape)}.`,
      ["Choose data of that shape first, then load the model again.", "The current model is unaffected."],
    );
  }
  if (train.count < settings.batch) {
    throw new PageFault(
      "Too few examples",
      `A step takes ${settings.batch} examples, but there are only ${train.count} to train on.`,
      [`Choose a batch size of at most ${train.count}, or more examples.`],
    );
  }
}

const shape2 = (shape: readonly number[]) => shape.join(" × ");

/** Throws what VAE.create throws; if the spec is wrong, before anything is allocated. */
export async function newModel(settings: Settings, loaded: Loaded, devices: Devices): Promise<VAE> {
  const spec = specFor(settings, loaded.shape);
  await checkSpec(spec);
  checkFit(spec, loaded, settings);
  return VAE.create(spec, { device: await devices.device(), seed: settings.seed });
}

/** Throws INVALID_SPEC. Given no adapter, the library still checks the spec, because it does that first. */
export async function checkSpec(spec: ModelSpec): Promise<void> {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  try {
    (await VAE.create(spec, { gpu })).dispose();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "NO_ADAPTER")) throw error;
  }
}
