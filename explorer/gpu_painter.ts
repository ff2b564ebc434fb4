// Draws pictures that never leave the GPU: the model's outputs stay in a buffer.
import type { VAE } from "webvae";
import { ImagePainter } from "webvae/canvas";
import type { RGB } from "./model.js";
import { layoutOf, type PictureShape } from "./shapes.js";

interface Shown {
  readonly count: number;
  readonly shape: PictureShape;
  readonly columns: number;
}

/** GPUBufferUsage: COPY_DST and STORAGE. */
const USAGE = 0x08 | 0x80;

export class GpuPainter {
  readonly #painter: ImagePainter;
  readonly #device: GPUDevice;
  #buffer: GPUBuffer | undefined;
  #shown: Shown | undefined;

  /** Throws UNSUPPORTED if the canvas has no WebGPU context. */
  constructor(
    vae: VAE,
    private readonly canvas: HTMLCanvasElement | OffscreenCanvas,
  ) {
    this.#device = vae.gpuDevice;
    this.#painter = new ImagePainter(vae, canvas);
  }

  /** Whether it can draw this VAE's outputs, which requires the same device. */
  serves(vae: VAE): boolean {
    return vae.gpuDevice === this.#device;
  }

  /** Decodes into the buffer. */
  async decode(vae: VAE, z: Float32Array, shape: PictureShape, columns: number): Promise<void> {
    const count = z.length / vae.spec.latent;
    await vae.decode(z, { to: this.#room(count, shape) });
    this.#shown = { count, shape, columns };
  }

  write(values: Float32Array, shape: PictureShape, columns: number): void {
    const count = values.length / shape.reduce((product, n) => product * n, 1);
    this.#device.queue.writeBuffer(this.#room(count, shape), 0, values as Float32Array<ArrayBuffer>);
    this.#shown = { count, shape, columns };
  }

  draw(low: RGB, high: RGB): void {
    if (!this.#shown || !this.#buffer) return;
    const { count, shape, columns } = this.#shown;
    const { cell, gap } = layoutOf(this.canvas, shape, columns, Math.ceil(count / columns));
    this.#painter.draw(this.#buffer, { shape, count, columns, gap: gap / cell.width, low, high });
  }

  /** Resolves once the GPU has drawn, so that pictures are not requested faster than that. */
  done(): Promise<undefined> {
    return this.#device.queue.onSubmittedWorkDone();
  }

  #room(count: number, shape: PictureShape): GPUBuffer {
    const size = 4 * shape.reduce((product, n) => product * n, count);
    if (!this.#buffer || this.#buffer.size < size) {
      this.#buffer?.destroy();
      this.#shown = undefined;
      this.#buffer = this.#device.createBuffer({ label: "explorer's pictures", size, usage: USAGE });
    }
    return this.#buffer;
  }

  dispose(): void {
    this.#painter.dispose();
    this.#buffer?.destroy();
    this.#shown = undefined;
  }
}
