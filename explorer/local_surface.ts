// A canvas of a model in the same thread. What it shows is remembered: sizes and colours change without the model.
import type { VAE } from "webvae";
import { FlatPainter } from "./flat_painter.js";
import { Latest } from "./latest.js";
import type { RGB, Surface } from "./model.js";
import { pictureShape, type PictureShape } from "./shapes.js";

interface Shown {
  readonly values: Float32Array;
  readonly shape: PictureShape;
  readonly columns: number;
}

export class LocalSurface implements Surface {
  readonly #latest = new Latest();
  #painter: FlatPainter | undefined;
  #shown: Shown | undefined;
  #low: RGB = [1, 1, 1];
  #high: RGB = [0, 0, 0];
  #disposed = false;

  /** `vae` is asked for at each request: it may be another by then. */
  constructor(
    private readonly canvas: HTMLCanvasElement | OffscreenCanvas,
    private readonly vae: () => VAE | Promise<VAE>,
  ) {}

  decode(z: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(async () => {
      const vae = await this.vae();
      this.#show({ values: await vae.decode(z), shape: pictureShape(vae.spec), columns });
    });
  }

  show(x: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(async () => {
      this.#show({ values: x, shape: pictureShape((await this.vae()).spec), columns });
    });
  }

  resize(width: number, height: number): void {
    if (this.#disposed || (this.canvas.width === width && this.canvas.height === height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#paint();
  }

  colours(low: RGB, high: RGB): void {
    this.#low = low;
    this.#high = high;
    this.#paint();
  }

  async snapshot(): Promise<Blob> {
    const { canvas } = this;
    if (!("toBlob" in canvas)) return canvas.convertToBlob({ type: "image/png" });
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas has no pixels"))), "image/png");
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#latest.clear();
    this.#shown = undefined;
  }

  #show(shown: Shown): void {
    if (this.#disposed) return;
    this.#shown = shown;
    this.#paint();
  }

  #paint(): void {
    if (!this.#shown || this.#disposed) return;
    this.#painter ??= new FlatPainter(this.canvas);
    this.#painter.draw({ ...this.#shown, low: this.#low, high: this.#high });
  }
}
