// Samples and reconstructions as grids of pictures.
import type { ExplorerModel } from "webvae/explorer";
import type { Opened } from "../protocol.js";
import { find, say } from "./dom.js";
import { Frame } from "./frame.js";
import type { Gallery } from "./gallery.js";
import { normals } from "./normals.js";
import { sheetPng } from "./png.js";

/** Pictures in a row of reconstructions: one of each of ten classes. */
const PAIRS = 10;

export class ImageGallery implements Gallery {
  readonly #samples: Frame;
  readonly #originals: Frame;
  readonly #reconstructions: Frame;
  readonly #side: number;
  readonly #examples: Float32Array;
  #latents: Float32Array;
  #seed = 7;
  #begun = false;

  constructor(
    private readonly model: ExplorerModel,
    { data, spec }: Opened,
  ) {
    const [height = 1, width = 1, channels = 1] = spec.input;
    const size = height * width * channels;
    // Fewer if pictures are large and therefore costly.
    this.#side = Math.max(height, width) <= 40 ? 8 : 5;
    const pairs = Math.min(PAIRS, data.examples.length / size);
    this.#examples = data.examples.slice(0, pairs * size);
    this.#latents = normals(this.#side ** 2 * spec.latent, this.#seed);
    const { name } = data;
    this.#samples = new Frame(find("samples"), model, this.#side, this.#side, "Images decoded from random latents");
    this.#originals = new Frame(find("originals"), model, pairs, 1, `${pairs} test examples of ${name}`);
    const label = "The model's reconstruction of each of them";
    this.#reconstructions = new Frame(find("reconstructions"), model, pairs, 1, label);
    const latents = spec.latent === 1 ? "one number" : `${spec.latent} numbers`;
    say("samples-caption", `The same ${this.#side ** 2} random latents, decoded as the model learns.`);
    say("reconstructions-caption", `Test examples that are never trained on, each rebuilt from ${latents}.`);
  }

  async draw(): Promise<void> {
    const frames = [this.#samples, this.#originals, this.#reconstructions];
    if (!this.#begun) {
      this.#begun = true;
      await this.#originals.surface.show(this.#examples, this.#originals.columns);
    }
    await this.#samples.surface.decode(this.#latents, this.#side);
    const { mean } = await this.model.encode(this.#examples);
    await this.#reconstructions.surface.decode(mean, this.#reconstructions.columns);
    for (const frame of frames) {
      frame.reveal();
      frame.fit();
    }
  }

  async redraw(): Promise<void> {
    this.#latents = normals(this.#latents.length, ++this.#seed);
    await this.#samples.surface.decode(this.#latents, this.#side);
  }

  async samplesPng(): Promise<Blob> {
    return sheetPng(await this.model.decode(this.#latents), this.model.spec.input, this.#side);
  }

  async reconstructionsPng(): Promise<Blob> {
    const made = await this.model.reconstruct(this.#examples);
    const both = new Float32Array(2 * made.length);
    both.set(this.#examples);
    both.set(made, made.length);
    return sheetPng(both, this.model.spec.input, this.#originals.columns);
  }

  dispose(): void {
    for (const frame of [this.#samples, this.#originals, this.#reconstructions]) frame.dispose();
  }
}
