// Grey images in rows and columns on a canvas, in the page's own colours: ink on paper by day, light on dark by night.

/** Side of an image in its own pixels. */
const SIDE = 28;
/** Scaling mixes in what lies around an image on the sheet: its own edge, repeated. */
const MARGIN = 2;
const PITCH = SIDE + 2 * MARGIN;

export interface Tiles {
  /** Images of values from 0 to 1, row by row. */
  readonly images: Float32Array;
  readonly columns: number;
}

export class TileSheet {
  #tiles: Tiles | undefined;
  readonly #sheet = document.createElement("canvas");

  constructor(
    private readonly canvas: HTMLCanvasElement,
    columns: number,
    rows: number,
  ) {
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show(this.#tiles));
  }

  show(tiles: Tiles | undefined): void {
    this.#tiles = tiles;
    if (!tiles) return;
    const { images, columns } = tiles;
    const count = images.length / SIDE ** 2;
    const width = (this.#sheet.width = columns * PITCH);
    const height = (this.#sheet.height = Math.ceil(count / columns) * PITCH);
    const style = getComputedStyle(this.canvas);
    const [paper, ink] = [channels(style.getPropertyValue("--paper")), channels(style.getPropertyValue("--stroke"))];
    const context = this.#sheet.getContext("2d")!;
    const pixels = context.createImageData(width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const tile = Math.floor(y / PITCH) * columns + Math.floor(x / PITCH);
        const row = inside((y % PITCH) - MARGIN);
        const column = inside((x % PITCH) - MARGIN);
        const value = images[tile * SIDE ** 2 + row * SIDE + column] ?? 0;
        const at = 4 * (y * width + x);
        for (let c = 0; c < 3; c++) pixels.data[at + c] = paper[c]! + value * (ink[c]! - paper[c]!);
        pixels.data[at + 3] = 255;
      }
    }
    context.putImageData(pixels, 0, 0);
    this.#draw();
  }

  /** Copies the sheet, tile by tile with gaps between, at the resolution of the screen. */
  #draw(): void {
    if (!this.#tiles) return;
    const { canvas } = this;
    const { columns } = this.#tiles;
    const rows = this.#sheet.height / PITCH;
    const gap = Math.max(1, Math.round(devicePixelRatio * (canvas.clientWidth / columns) * 0.06));
    const side = Math.floor((canvas.clientWidth * devicePixelRatio - gap * (columns - 1)) / columns);
    canvas.width = columns * side + gap * (columns - 1);
    canvas.height = rows * side + gap * (rows - 1);
    const context = canvas.getContext("2d")!;
    context.imageSmoothingQuality = "high";
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x, y] = [column * (side + gap), row * (side + gap)];
        const [left, top] = [column * PITCH + MARGIN, row * PITCH + MARGIN];
        context.drawImage(this.#sheet, left, top, SIDE, SIDE, x, y, side, side);
      }
    }
  }
}

const inside = (at: number) => Math.min(Math.max(at, 0), SIDE - 1);

/** "#rrggbb" as three numbers. */
function channels(colour: string): number[] {
  const text = colour.trim().slice(1);
  return [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));
}
