// Grey images in rows and columns on a canvas, in the canvas's CSS colours: dark on light, or the reverse in dark mode.
import { element } from "./dom.js";

/** The sheet's pixels, 0 to 255, and where an image is on it. */
export interface Greys {
  readonly values: Uint8Array;
  readonly side: number;
  /** Images per row. */
  readonly columns: number;
}

export class ImageGrid {
  readonly canvas: HTMLCanvasElement;
  #images: readonly number[] = [];
  readonly #tile: OffscreenCanvasRenderingContext2D;

  constructor(
    private readonly greys: Greys,
    private readonly columns: number,
    rows: number,
    /** The gap between images, as a fraction of an image's width. */
    private readonly gap = 0.06,
  ) {
    this.canvas = element("canvas", { role: "img" });
    this.canvas.style.aspectRatio = `${columns} / ${rows}`;
    this.#tile = new OffscreenCanvas(greys.side, greys.side).getContext("2d")!;
  }

  show(images: readonly number[], description: string): void {
    this.#images = images;
    this.canvas.setAttribute("aria-label", description);
    this.draw();
  }

  /** Draws again after the size or the colours have changed. */
  draw(): void {
    const { canvas, columns } = this;
    const rows = Math.ceil(this.#images.length / columns);
    if (canvas.clientWidth === 0 || rows === 0) return;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const gap = this.gap && Math.max(1, Math.round((width / columns) * this.gap));
    const side = Math.floor((width - gap * (columns - 1)) / columns);
    canvas.width = columns * side + gap * (columns - 1);
    canvas.height = rows * side + gap * (rows - 1);
    const context = canvas.getContext("2d")!;
    context.imageSmoothingQuality = "high";
    const style = getComputedStyle(canvas);
    const colours = ramp(style.backgroundColor, style.color);
    this.#images.forEach((image, i) => {
      this.#colour(image, colours);
      const [left, top] = [(i % columns) * (side + gap), Math.floor(i / columns) * (side + gap)];
      // A separate canvas, so that scaling does not blend in neighbouring images.
      context.drawImage(this.#tile.canvas, left, top, side, side);
    });
  }

  #colour(image: number, colours: Uint32Array): void {
    const { values, side, columns } = this.greys;
    const pixels = this.#tile.createImageData(side, side);
    const words = new Uint32Array(pixels.data.buffer);
    const first = (Math.floor(image / columns) * columns * side + (image % columns)) * side;
    for (let i = 0; i < side * side; i++) {
      words[i] = colours[values[first + Math.floor(i / side) * columns * side + (i % side)]!]!;
    }
    this.#tile.putImageData(pixels, 0, 0);
  }
}

/** Pixels of 256 shades between two CSS colours. */
function ramp(paper: string, ink: string): Uint32Array {
  const context = new OffscreenCanvas(256, 1).getContext("2d", { willReadFrequently: true })!;
  const gradient = context.createLinearGradient(0.5, 0, 255.5, 0);
  gradient.addColorStop(0, paper);
  gradient.addColorStop(1, ink);
  context.fillStyle = gradient;
  context.fillRect(0, 0, 256, 1);
  return new Uint32Array(context.getImageData(0, 0, 256, 1).data.buffer);
}
