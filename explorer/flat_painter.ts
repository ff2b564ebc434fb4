// Draws pictures on a 2-D canvas, on a page or in a worker, from values read back, if a WebGPU canvas cannot be used.
import type { RGB } from "./model.js";
import { layoutOf, type PictureShape } from "./shapes.js";

export interface Painting {
  /** Values from 0 to 1, one example after another. */
  readonly values: Float32Array;
  readonly shape: PictureShape;
  readonly columns: number;
  readonly low: RGB;
  readonly high: RGB;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export class FlatPainter {
  readonly #context: Context;
  /** One picture at its original size to scale from; scaling from a sheet would blend in its neighbours. */
  readonly #tile: OffscreenCanvas;
  readonly #tileContext: OffscreenCanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement | OffscreenCanvas) {
    // In memory: without a WebGPU canvas there is no fast 2-D canvas either, and uploads would cost more.
    const options: CanvasRenderingContext2DSettings = { willReadFrequently: true };
    const context: Context | null =
      canvas instanceof OffscreenCanvas ? canvas.getContext("2d", options) : canvas.getContext("2d", options);
    this.#tile = new OffscreenCanvas(1, 1);
    const tileContext = this.#tile.getContext("2d", options);
    if (!context || !tileContext) throw new Error("this canvas already has another context");
    this.#context = context;
    this.#tileContext = tileContext;
  }

  draw({ values, shape, columns, low, high }: Painting): void {
    const [height, width, channels] = shape;
    const size = height * width * channels;
    const count = Math.floor(values.length / size);
    const { cell, gap } = layoutOf(this.canvas, shape, columns, Math.ceil(count / columns));
    this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.#context.imageSmoothingQuality = "high";
    if (this.#tile.width !== width || this.#tile.height !== height) {
      this.#tile.width = width;
      this.#tile.height = height;
    }
    const pixels = new ImageData(width, height);
    for (let i = 0; i < count; i++) {
      fill(pixels.data, values.subarray(i * size, (i + 1) * size), channels, low, high);
      this.#tileContext.putImageData(pixels, 0, 0);
      const [x, y] = [(i % columns) * (cell.width + gap), Math.floor(i / columns) * (cell.height + gap)];
      this.#context.drawImage(this.#tile, x, y, cell.width, cell.height);
    }
  }
}

function fill(data: Uint8ClampedArray, values: Float32Array, channels: number, low: RGB, high: RGB): void {
  for (let pixel = 0; 4 * pixel < data.length; pixel++) {
    for (let c = 0; c < 3; c++) {
      const value = Math.min(1, Math.max(0, values[channels === 3 ? 3 * pixel + c : pixel]!));
      // Colours are drawn unchanged; a single channel blends two colours.
      data[4 * pixel + c] = 255 * (channels === 3 ? value : low[c]! + value * (high[c]! - low[c]!));
    }
    data[4 * pixel + 3] = 255;
  }
}
