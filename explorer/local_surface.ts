// The canvas of a model in the same thread: drawn on the GPU if a WebGPU canvas can be used, else in 2-D. It remembers
// what it shows, so that size and colours can change without the model.
import type { VAE } from "webvae";
import { canvasKeepsDevice } from "webvae/canvas";
import { FlatPainter } from "./flat_painter.js";
import { GpuPainter } from "./gpu_painter.js";
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
  #gpu: GpuPainter | undefined;
  #flat: FlatPainter | undefined;
  /** Content of the 2-D canvas. */
  #shown: Shown | undefined;
  #low: RGB = [1, 1, 1];
  #high: RGB = [0, 0, 0];
  #disposed = false;

  /** `vae` is called at each request, since the VAE may have changed by then. */
  constructor(
    private readonly canvas: HTMLCanvasElement | OffscreenCanvas,
    private readonly vae: () => VAE | Promise<VAE>,
  ) {}

  decode(z: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(async () => {
      const vae = await this.vae();
      const shape = pictureShape(vae.spec);
      const gpu = await this.#gpuOf(vae);
      if (this.#disposed) return;
      if (gpu) await gpu.decode(vae, z, shape, columns);
      else this.#shown = { values: await vae.decode(z), shape, columns };
      this.#paint();
      await this.#gpu?.done();
    });
  }

  show(x: Float32Array, columns: number): Promise<void> {
    return this.#latest.run(async () => {
      const vae = await this.vae();
      const shape = pictureShape(vae.spec);
      const gpu = await this.#gpuOf(vae);
      if (this.#disposed) return;
      if (gpu) gpu.write(x, shape, columns);
      else this.#shown = { values: x, shape, columns };
      this.#paint();
      await this.#gpu?.done();
    });
  }

  /** A canvas has one kind of context forever; the first request decides which. */
  async #gpuOf(vae: VAE): Promise<GpuPainter | undefined> {
    if (this.#flat || this.#disposed) return undefined;
    if (this.#gpu?.serves(vae)) return this.#gpu;
    if (!this.#gpu && !(await canvasKeepsDevice())) {
      this.#flat ??= new FlatPainter(this.canvas);
      return undefined;
    }
    if (this.#disposed) return undefined;
    this.#gpu?.dispose();
    return (this.#gpu = new GpuPainter(vae, this.canvas));
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
    // A WebGPU canvas loses its content after the frame; redrawn, it stays until the end of this turn.
    this.#paint();
    if (!("toBlob" in canvas)) return canvas.convertToBlob({ type: "image/png" });
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas has no pixels"))), "image/png");
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#latest.clear();
    this.#shown = undefined;
    // Waits for the request under way, which still writes to its buffer.
    void this.#latest.run(() => Promise.resolve(this.#gpu?.dispose())).catch(() => {});
  }

  #paint(): void {
    if (this.#disposed) return;
    this.#gpu?.draw(this.#low, this.#high);
    if (this.#shown) this.#flat?.draw({ ...this.#shown, low: this.#low, high: this.#high });
  }
}
