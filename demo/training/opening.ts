// Makes what is trained: data, and a model for them on the worker's one device.
import { dense, VAE, type ModelSpec } from "webvae";
import { specFor } from "../architecture.js";
import { dataFromFiles } from "../data/files.js";
import { loadData } from "../data/load.js";
import type { Loaded, LoadOptions } from "../data/loaded.js";
import { PageFault } from "../faults.js";
import type { Settings } from "../settings.js";

/** Keeps the device that all models share, so that what was compiled once stays. */
export class Devices {
  #first: Promise<VAE> | undefined;

  /** Throws what VAE.create throws where there is no WebGPU. */
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

/** A model that does nothing but hold the device that the library asked for, with all that the adapter allows. */
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
    throw new PageFault("These data are your own files", "The page cannot open them again by itself.", [
      "Choose the same files once more, or drop them on the page.",
    ]);
  }
  return loadData(settings.data, { ...options, seed: 0 });
}

/** A batch that the visitor's own few examples fill: a first try trains at once. */
export function withFewer(settings: Settings, { train }: Loaded): Settings {
  return { ...settings, batch: Math.min(settings.batch, train.count) };
}

/** Throws a PageFault where too few examples are there for a batch, or the model is for other examples. */
export function checkFit(spec: ModelSpec, loaded: Loaded, settings: Settings): void {
  const { shape, train } = loaded;
  if (String(spec.input) !== String(shape)) {
    throw new PageFault(
      "The model is for other data",
      `Its examples have shape ${shape2(spec.input)}; ${loaded.name} has ${shape2(shape)}.`,
      ["Choose data of that shape first, then load the model again.", "What was here goes on untouched."],
    );
  }
  if (train.count < settings.batch) {
    throw new PageFault(
      "Too few examples",
      `A step takes ${settings.batch} examples, and there are ${train.count} to train on.`,
      [`Choose a batch of ${train.count} or fewer, or more examples.`],
    );
  }
}

const shape2 = (shape: readonly number[]) => shape.join(" × ");

/** Throws what VAE.create throws, before anything is made where the spec is wrong. */
export async function newModel(settings: Settings, loaded: Loaded, devices: Devices): Promise<VAE> {
  const spec = specFor(settings, loaded.shape);
  await checkSpec(spec);
  checkFit(spec, loaded, settings);
  return VAE.create(spec, { device: await devices.device(), seed: settings.seed });
}

/** Throws INVALID_SPEC. The library checks a spec before it asks for an adapter, of which there is none here. */
export async function checkSpec(spec: ModelSpec): Promise<void> {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  try {
    (await VAE.create(spec, { gpu })).dispose();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "NO_ADAPTER")) throw error;
  }
}
